import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { GapItem, Item, ResultItem } from '../../core/entry.ts';
import { formatVersion, writeHeader } from './segment.ts';
import { openSpool } from '../../commands/agent/open-spool.ts';
import { type Spool, type SpooledEntry } from './spool.ts';
import { removeFolder } from '../../testing/remove-folder.ts';

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-spool-'));
  t.after(() => removeFolder(folder));
  return folder;
}

function result(taskId: string, size = 10): ResultItem {
  const times = { scheduledAt: 1, startedAt: 2, durationMs: 3 };
  return {
    kind: 'result',
    taskId,
    monitorId: 'm',
    ...times,
    status: 'up',
    metrics: {},
    detail: {},
    message: 'x'.repeat(size),
  };
}

async function append(spool: Spool, names: readonly string[], size?: number): Promise<number[]> {
  return Promise.all(names.map((name) => spool.append(result(name, size), { droppable: false })));
}

const limit = { maxBytes: 1e6, maxCount: 1000 };

async function readAll(spool: Spool): Promise<SpooledEntry[]> {
  await spool.startSending();
  const all: SpooledEntry[] = [];
  for (let some; (some = await spool.read('backlog', limit)).length > 0;) all.push(...some);
  return all;
}

const itemOf = ({ json }: SpooledEntry): Item => JSON.parse(json) as Item;
const segmentsIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.segment'))
    .toSorted();

describe('a spool', () => {
  test('what is recorded while a long backlog is read is sent too', async (t) => {
    const folder = await folderFor(t);
    // Each life leaves a segment; there are more than are remembered.
    for (const name of 'abcdefgh') {
      await using spool = await openSpool(folder);
      await append(spool, [name]);
    }
    await using spool = await openSpool(folder);
    await spool.startSending();
    await append(spool, ['live 1']);
    for (let round = 0; round < 2; round++) await spool.read('backlog', { ...limit, maxCount: 6 });
    assert.deepEqual((await spool.read('live', limit)).map(itemOf), [result('live 1')]);
    await append(spool, ['live 2']);
    assert.deepEqual((await spool.read('live', limit)).map(itemOf), [result('live 2')]);
  });

  test('B4: keeps what was appended until it is acknowledged, also across restarts', async (t) => {
    const folder = await folderFor(t);
    let epoch: number;
    {
      await using spool = await openSpool(folder);
      epoch = spool.recovered.epoch;
      assert.deepEqual(await append(spool, ['a', 'b', 'c']), [1, 2, 3]);
      assert.deepEqual((await readAll(spool)).map(itemOf), [result('a'), result('b'), result('c')]);
      spool.acknowledge([[2, 2]]);
    }
    await using spool = await openSpool(folder);
    assert.equal(spool.recovered.epoch, epoch);
    assert.equal(spool.stats().depth, 2);
    assert.deepEqual(
      (await readAll(spool)).map(({ seq }) => seq),
      [1, 3],
    );
    assert.deepEqual(await append(spool, ['d']), [4]);
  });

  test('gives what is new in the live lane and what is older in the backlog lane, each once a connection', async (t) => {
    await using spool = await openSpool(await folderFor(t));
    await append(spool, ['a', 'b']);
    await spool.startSending();
    await append(spool, ['c', 'd']);
    const seqs = async (lane: 'live' | 'backlog', maxCount: number): Promise<number[]> =>
      (await spool.read(lane, { maxBytes: 1e6, maxCount })).map(({ seq }) => seq);
    assert.deepEqual(await seqs('live', 1), [3]);
    assert.deepEqual(await seqs('backlog', 10), [1, 2]);
    assert.deepEqual(await seqs('live', 10), [4]);
    assert.deepEqual(await seqs('live', 10), []);
    await spool.startSending();
    assert.deepEqual(await seqs('backlog', 10), [1, 2, 3, 4]);
    assert.deepEqual(await seqs('live', 10), []);
  });

  test('limits what one read returns, and returns one entry however large', async (t) => {
    await using spool = await openSpool(await folderFor(t));
    await append(spool, ['a', 'b', 'c'], 10_000);
    await spool.startSending();
    assert.equal((await spool.read('backlog', { maxBytes: 25_000, maxCount: 10 })).length, 2);
    assert.equal((await spool.read('backlog', { maxBytes: 1, maxCount: 10 })).length, 1);
  });

  test('says how much waits and since when', async (t) => {
    const before = Date.now();
    let changes = 0;
    await using spool = await openSpool(await folderFor(t), { onChange: () => void changes++ });
    assert.deepEqual([spool.stats().depth, spool.stats().oldestAt], [0, undefined]);
    await append(spool, ['a', 'b']);
    const { depth, nextSeq, bytes, oldestAt = 0, impaired } = spool.stats();
    assert.deepEqual([depth, nextSeq, impaired], [2, 3, undefined]);
    assert.ok(bytes > 0 && oldestAt >= before && oldestAt <= Date.now());
    assert.ok(changes > 0);
    spool.acknowledge([[1, 2]]);
    await spool.startSending();
    assert.deepEqual([spool.stats().depth, spool.stats().oldestAt], [0, undefined]);
  });

  test('deletes segments that are acknowledged, and knows the next number without them', async (t) => {
    const folder = await folderFor(t);
    {
      await using spool = await openSpool(folder);
      await append(
        spool,
        Array.from({ length: 30 }, (_, index) => `t${index}`),
        100_000,
      );
      assert.equal(segmentsIn(folder).length, 3);
      spool.acknowledge([[1, 30]]);
    }
    assert.equal(segmentsIn(folder).length, 1);
    await using spool = await openSpool(folder);
    assert.deepEqual(await append(spool, ['next']), [31]);
  });

  test('acknowledgements of numbers it never gave away change nothing', async (t) => {
    await using spool = await openSpool(await folderFor(t));
    await append(spool, ['a']);
    spool.acknowledge([
      [2, 100],
      [-5, 0],
      [7, 3],
    ]);
    assert.deepEqual(await append(spool, ['b']), [2]);
    assert.deepEqual(
      (await readAll(spool)).map(({ seq }) => seq),
      [1, 2],
    );
  });

  test('D5: beyond its limit the oldest droppable entries go, the others never, and a gap says which', async (t) => {
    await using spool = await openSpool(await folderFor(t), { limitBytes: 3_000_000 });
    for (let index = 1; index <= 100; index++) {
      await spool.append(result(`t${index}`, 100_000), { droppable: index % 5 !== 0 });
    }
    assert.ok(spool.stats().bytes < 3_500_000, `${spool.stats().bytes} bytes`);
    const entries = await readAll(spool);
    const gaps = entries.map(itemOf).filter((item): item is GapItem => item.kind === 'gap');
    const declared = new Set(gaps.flatMap(({ ranges }) => ranges.flatMap(([from, to]) => numbers(from, to))));
    assert.ok(declared.size > 30);
    assert.ok(gaps.every(({ cause }) => cause === 'overflow'));
    const kept = new Set(entries.map(({ seq }) => seq));
    assert.deepEqual(
      numbers(1, spool.stats().nextSeq - 1).filter((seq) => kept.has(seq) === declared.has(seq)),
      [],
    );
    const names = new Set(entries.map(itemOf).map((item) => (item.kind === 'result' ? item.taskId : '')));
    for (let index = 5; index <= 100; index += 5) assert.ok(names.has(`t${index}`), `t${index} may not be dropped`);
  });

  test('an entry larger than 256 KiB is refused with both sizes', async (t) => {
    await using spool = await openSpool(await folderFor(t));
    await assert.rejects(append(spool, ['a'], 300_000), {
      code: 'usage',
      message: /300\d{3} characters.*262144 bytes/,
    });
    assert.deepEqual(await append(spool, ['b']), [1]);
  });

  test('a disk that is slower than the caller: what finds no room is rejected and declared', async (t) => {
    await using spool = await openSpool(await folderFor(t), { memoryBytes: 100_000 });
    const appends = Array.from({ length: 10 }, (_, index) =>
      spool.append(result(`t${index}`, 90_000), { droppable: true }),
    );
    const settled = await Promise.allSettled(appends);
    const refused = settled.filter(({ status }) => status === 'rejected').length;
    assert.ok(refused > 0 && refused < 10, `${refused} of 10 refused`);
    await append(spool, ['after']);
    const entries = await readAll(spool);
    const gap = entries.map(itemOf).find((item) => item.kind === 'gap');
    assert.equal(
      gap?.ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0),
      refused,
    );
    assert.equal(gap?.cause, 'overflow');
  });

  test('after close it rejects; what was appended before is recorded', async (t) => {
    const folder = await folderFor(t);
    const spool = await openSpool(folder);
    const last = append(spool, ['a', 'b']);
    await spool.close();
    await spool.close();
    assert.deepEqual(await last, [1, 2]);
    await assert.rejects(append(spool, ['c']), { code: 'unavailable', message: 'The spool is closed.' });
    await assert.rejects(spool.read('live', limit), { code: 'unavailable' });
  });
});

describe('what a spool may find', () => {
  test('FC06: whichever segment is damaged, the others are sent, new ones are taken, and a gap says what is lost', async (t) => {
    for (const damaged of [0, 1, 2]) {
      const folder = await folderFor(t);
      {
        await using spool = await openSpool(folder);
        await append(
          spool,
          Array.from({ length: 30 }, (_, index) => `t${index}`),
          100_000,
        );
      }
      const name = segmentsIn(folder)[damaged] ?? '';
      const size = readFileSync(join(folder, name)).length;
      writeFileSync(join(folder, name), Buffer.alloc(size, 0x5a));
      // Of the whole process: the spool reads in a thread of its own.
      const before = process.cpuUsage();
      await using spool = await openSpool(folder);
      assert.ok(process.cpuUsage(before).user < 5_000_000);
      const [next = 0] = await append(spool, ['new']);
      assert.ok(next > 30);
      await readAll(spool);
      await append(spool, ['newer']);
      const entries = await readAll(spool);
      const gaps = entries.map(itemOf).filter((item) => item.kind === 'gap');
      assert.deepEqual(
        gaps.map(({ cause }) => cause),
        ['corrupt'],
      );
      const lost = gaps.flatMap(({ ranges }) => ranges.flatMap(([from, to]) => numbers(from, to)));
      const known = new Set([...entries.map(({ seq }) => seq), ...lost]);
      assert.deepEqual(
        numbers(1, 30).filter((seq) => !known.has(seq)),
        [],
      );
      assert.ok(lost.filter((seq) => seq <= 30).length <= 10);
      spool.acknowledge(entries.map(({ seq }) => [seq, seq]));
      await spool.startSending();
      assert.deepEqual(
        readdirSync(folder).filter((file) => file.endsWith('.corrupt')),
        [`${name}.corrupt`],
      );
    }
  });

  test('FC07: a spool of a newer version is refused with the way out, and not a byte of it changes', async (t) => {
    const folder = await folderFor(t);
    const header = Buffer.alloc(40);
    writeHeader(header, { version: formatVersion + 1, epoch: 5, first: 1 });
    const file = join(folder, '0000000000000005-0000000000000001.segment');
    writeFileSync(file, header);
    writeFileSync(`${file}.new`, 'half');
    await assert.rejects(openSpool(folder), {
      code: 'unavailable',
      message: /has format 2 and this version reads up to 1: run the newer/,
    });
    assert.deepEqual(readFileSync(file), header);
    assert.deepEqual(readdirSync(folder).length, 2);
  });

  test('garbage in the folder stops nothing', async (t) => {
    const folder = await folderFor(t);
    writeFileSync(join(folder, 'ledger'), 'x'.repeat(200_000));
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    writeFileSync(join(folder, '0000000000000005-0000000000000001.segment.new'), 'half');
    writeFileSync(join(folder, '0000000000000005-0000000000000001.segment'), '');
    await using spool = await openSpool(folder);
    assert.equal(spool.recovered.epoch, 5);
    assert.deepEqual(await append(spool, ['a']), [1]);
    assert.equal(readFileSync(join(folder, 'notes.txt'), 'utf8'), 'mine');
  });

  test('is closed once, however often and by whomever it is told to', async (t) => {
    const folder = await folderFor(t);
    const spool = await openSpool(folder);
    await append(spool, ['a']);
    await Promise.all([spool.close(), spool.close()]);
    await spool.close();
    await using again = await openSpool(folder);
    assert.equal(again.stats().depth, 1);
  });

  test('a folder that cannot be one is refused with the reason', async (t) => {
    const folder = join(await folderFor(t), 'file');
    writeFileSync(folder, '');
    await assert.rejects(openSpool(folder), { code: 'unavailable', message: /EEXIST|ENOTDIR/ });
  });
});

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
