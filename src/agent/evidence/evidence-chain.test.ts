import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Item, RecordItem } from '../../core/entry.ts';
import { AppError } from '../../core/errors.ts';
import type { SensorRecord } from '../../core/record.ts';
import { follow, hashOf, type ChainState } from '../../records/chain.ts';
import { contentOf } from '../../records/record-line.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { diskError, SimulatedCrash, SimulatedDisk } from '../../testing/simulated-disk.ts';
import { SimulatedEvidenceDisk } from '../../testing/simulated-evidence-disk.ts';
import { EvidenceChain } from './evidence-chain.ts';
import { linesIn } from './evidence-files.ts';

/** One machine with one chain, the spool beside it, and what the server was told. */
class World {
  readonly disk = new SimulatedDisk();
  readonly clock = new FakeClock(Date.UTC(2026, 11, 2, 9));
  readonly spooled: string[] = [];
  readonly faults: string[] = [];
  spoolRefuses = false;
  /** As the server keeps it: from the first key on. */
  start: ChainState | undefined;

  async open(): Promise<EvidenceChain> {
    const chain = await EvidenceChain.open({
      sensor: 'usb',
      disk: new SimulatedEvidenceDisk(this.disk),
      spool: { append: (item) => this.#append(item) },
      clock: this.clock,
      stamp: (record) => ({ ...record, sensor: 'usb', at: this.clock.now(), monotonicMs: 1, boot: 'b' }),
      textOf: (line) => `text of ${hashOf(line)}`,
      onFault: (text) => this.faults.push(text),
    });
    if (chain.announcement) {
      const { chain: id, key } = chain.announcement;
      this.start = { chain: id, key, n: 0, head: hashOf(id) };
      await chain.announced();
    }
    return chain;
  }

  /** Those of all files, in the order of their names. */
  lines(): string[] {
    return this.names('.jsonl').flatMap((name) => linesIn(this.#bytes(name)).map(({ line }) => line));
  }

  names(ending: string): string[] {
    return this.disk
      .list()
      .map(({ name }) => name)
      .filter((name) => name.endsWith(ending))
      .toSorted();
  }

  text(name: string): string {
    return this.#bytes(name).toString();
  }

  replace(name: string, text: string): void {
    this.disk.create(name).write(Buffer.from(text), 0);
    this.disk.sync();
  }

  /** Whole and unbroken from the first key, and everything that was spooled is in it. */
  verify(): readonly SensorRecord[] {
    assert.ok(this.start);
    let state = this.start;
    const lines = this.lines();
    for (const line of lines) {
      const next = follow(state, line);
      assert.equal(next.fault, undefined, `line ${next.state.n}`);
      state = next.state;
    }
    assert.deepEqual(
      this.spooled.filter((line) => !lines.includes(line)),
      [],
      'the spool has a line that the files do not have',
    );
    return lines.map(recordOf);
  }

  #append(item: Item): Promise<number> {
    if (this.spoolRefuses) return Promise.reject(new AppError('unavailable', 'no room'));
    this.spooled.push((item as RecordItem).line);
    return Promise.resolve(this.spooled.length);
  }

  #bytes(name: string): Buffer {
    return this.disk.read(name, 0, Infinity);
  }
}

/** Also what no sensor may say, such as a text that is too long. */
function recordOf(line: string): SensorRecord {
  const parsed = JSON.parse(line) as SensorRecord & Record<string, unknown>;
  for (const key of ['n', 'p', 'm', 'sensor', 'at', 'monotonicMs', 'boot']) delete parsed[key];
  return parsed;
}

const jump = (byMs: number): SensorRecord => ({ event: 'clock-jump', byMs });
const big = (mark: number): SensorRecord => ({ event: 'lost', message: `${mark} ${'x'.repeat(100_000)}` });

/** Until what was recorded is in the files and the spool. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

describe('the evidence of a sensor', () => {
  test('E5: is one unbroken chain over restarts, and each line reaches the spool', async () => {
    const world = new World();
    for (let life = 0; life < 3; life++) {
      const chain = await world.open();
      chain.record(jump(life));
      await settled();
      chain.record(jump(life + 10));
      await chain.close();
    }
    assert.deepEqual(world.verify(), [0, 10, 1, 11, 2, 12].map(jump));
    assert.deepEqual(world.spooled, world.lines());
    assert.deepEqual(world.faults, []);
  });

  test('E5: the text beside the lines says the same, also where it was lost', async () => {
    const world = new World();
    const chain = await world.open();
    for (let count = 0; count < 3; count++) {
      chain.record(jump(count));
      await settled();
    }
    const expected = world
      .lines()
      .map((line) => `text of ${hashOf(line)}\n`)
      .join('');
    assert.deepEqual(world.names('.log'), ['2026-12-02T09-00-00-000Z.log']);
    assert.equal(world.text('2026-12-02T09-00-00-000Z.log'), expected);
    await chain.close();
    world.disk.remove('2026-12-02T09-00-00-000Z.log');
    await (await world.open()).close();
    assert.equal(world.text('2026-12-02T09-00-00-000Z.log'), expected);
  });

  test('writes nothing before the server knows the first key', async () => {
    const world = new World();
    const parts = { disk: new SimulatedEvidenceDisk(world.disk), clock: world.clock, sensor: 'usb' } as const;
    const chain = await EvidenceChain.open({
      ...parts,
      spool: { append: () => Promise.reject(new Error('nothing may come here')) },
      stamp: (record) => ({ ...record, sensor: 'usb', at: 1, monotonicMs: 1, boot: 'b' }),
      textOf: (line) => line,
      onFault: assert.fail,
    });
    chain.record(jump(1));
    await settled();
    assert.deepEqual([world.lines(), chain.head], [[], undefined]);
    await chain.close();
    // The same key is offered again.
    assert.deepEqual((await EvidenceChain.open({ ...chainPartsOf(world) })).announcement, chain.announcement);
  });

  test('a new file begins with each day and after 4 MiB, and a clock set back changes no order', async () => {
    const world = new World();
    const chain = await world.open();
    for (let count = 0; count < 45; count++) chain.record(big(count));
    await settled();
    assert.equal(world.names('.jsonl').length, 2);
    world.clock.stepWall(24 * 3600_000);
    chain.record(jump(1));
    await settled();
    assert.equal(world.names('.jsonl').at(-1), '2026-12-03T09-00-00-000Z.jsonl');
    world.clock.stepWall(-48 * 3600_000);
    for (let count = 0; count < 45; count++) chain.record(big(count));
    await chain.close();
    assert.equal(world.names('.jsonl').at(-1), '2026-12-03T09-00-00-001Z.jsonl');
    assert.equal(world.verify().length, 91);
  });

  test('what the spool refuses is handed over again, in this life or the next', async () => {
    const world = new World();
    world.spoolRefuses = true;
    let chain = await world.open();
    chain.record(jump(1));
    await settled();
    world.spoolRefuses = false;
    await world.clock.advance(1000);
    assert.deepEqual(world.spooled, world.lines());
    world.spoolRefuses = true;
    chain.record(jump(2));
    await settled();
    await chain.close();
    assert.equal(world.spooled.length, 1);
    world.spoolRefuses = false;
    chain = await world.open();
    await chain.close();
    assert.deepEqual(world.spooled.slice(-1), world.lines().slice(-1));
  });

  test('while the disk is full records wait, and are then written once each', async () => {
    const world = new World();
    const chain = await world.open();
    chain.record(jump(0));
    await settled();
    // Whatever the size of what still fits: a part of a line, the line and not the state, the state and not its new name.
    for (let room = 0; room < 900; room += 30) {
      world.disk.capacityBytes = world.disk.usedBytes + room;
      const before = chain.head;
      chain.record(jump(room));
      await settled();
      if (chain.impaired !== undefined) assert.deepEqual(chain.head, before);
      world.disk.capacityBytes = Infinity;
      await world.clock.advance(1000);
      await settled();
      assert.equal(chain.impaired, undefined);
    }
    await chain.close();
    assert.match(world.faults[0] ?? '', /ENOSPC.*free space/);
    assert.deepEqual(world.verify().length, 31);
    assert.deepEqual(new Set(world.spooled), new Set(world.lines()));
  });

  test('what there is no room for in memory is counted, and said as soon as there is', async () => {
    const world = new World();
    const chain = await world.open();
    chain.record(jump(-1));
    await settled();
    world.disk.capacityBytes = 0;
    for (let count = 0; count < 12_000; count++) chain.record(jump(count));
    await settled();
    world.disk.capacityBytes = Infinity;
    await world.clock.advance(1000);
    await settled();
    await chain.close();
    const records = world.verify();
    const lost = records.filter((record) => record.event === 'lost').reduce((sum, { count = 0 }) => sum + count, 0);
    assert.equal(records.filter(({ event }) => event === 'clock-jump').length + lost, 12_001);
    assert.ok(lost > 0);
  });

  test('a record that is too large is said to be', async () => {
    const world = new World();
    const chain = await world.open();
    chain.record({ event: 'lost', message: 'x'.repeat(300_000) });
    await chain.close();
    const [record] = world.verify();
    assert.match(record?.event === 'lost' ? record.message : '', /^a lost record of 3\d{5} bytes was too large/);
  });

  test('a write that was cut short is cut off, and said', async () => {
    const world = new World();
    let chain = await world.open();
    for (let count = 0; count < 3; count++) chain.record(jump(count));
    await chain.close();
    const [name = ''] = world.names('.jsonl');
    world.replace(name, `${world.text(name)}{"n":4,"p":"to`);
    chain = await world.open();
    await chain.close();
    const last = world.verify().at(-1);
    assert.equal(
      last?.event === 'lost' && last.message,
      'a write was cut short: 14 bytes after line 3 were no whole line',
    );
  });

  test('files that end before the chain does, or were changed, are said; the chain goes on by its state', async () => {
    const changes: Record<string, (lines: string[]) => string[]> = {
      cut: (lines) => lines.slice(0, -1),
      edited: (lines) => lines.with(lines.length - 1, lines.at(-1)!.replace('"byMs":2', '"byMs":9')),
      emptied: () => [],
      continued: (lines) => [...lines, lines.at(-1)!],
    };
    for (const [what, change] of Object.entries(changes)) {
      const world = new World();
      let chain = await world.open();
      for (let count = 0; count < 3; count++) chain.record(jump(count));
      await chain.close();
      const [name = ''] = world.names('.jsonl');
      const changed = change(world.lines());
      world.replace(name, changed.map((line) => `${line}\n`).join(''));
      chain = await world.open();
      await chain.close();
      assert.deepEqual(world.lines().slice(0, -1), changed, `${what}: what was there stays`);
      const said = contentOf(world.lines().at(-1)!);
      assert.equal(said?.n, 4, what);
      assert.match(said.record.event === 'lost' ? said.record.message : '', /^expected (?:the evidence|line 3)/, what);
    }
  });

  test('without its state a new chain begins, and the lines of the old one stay', async () => {
    const world = new World();
    let chain = await world.open();
    for (let count = 0; count < 3; count++) chain.record(jump(count));
    await chain.close();
    const [old = ''] = world.names('.jsonl');
    const lines = world.text(old);
    world.replace('chain.json', 'nonsense');
    chain = await world.open();
    await chain.close();
    await (await world.open()).close();
    assert.equal(world.text(old), lines);
    const said = contentOf(world.lines().at(-1)!);
    assert.deepEqual([said?.n, said?.record.event], [1, 'lost']);
  });

  test('that the server does not know ends, and another takes its place in a file of its own; nothing is left out', async () => {
    const world = new World();
    let chain = await world.open();
    chain.record(jump(1));
    await settled();
    const [old = ''] = world.names('.jsonl');
    const lines = world.text(old);
    world.spoolRefuses = true;
    chain.record(jump(2));
    const begun = chain.beginAnew();
    await settled();
    chain.record(jump(3));
    world.spoolRefuses = false;
    await world.clock.advance(1000);
    await begun;
    assert.equal(chain.head, undefined, 'it waits until the server knows it');
    // A crash before it was announced changes nothing but what had no line yet.
    chain = await world.open();
    chain.record(jump(4));
    await settled();
    assert.equal(world.text(old).startsWith(lines), true);
    assert.deepEqual(world.spooled, world.lines());
    const [first, second] = world
      .lines()
      .slice(2)
      .map((line) => contentOf(line));
    assert.deepEqual([first?.n, first?.record.event, second?.n, second?.record], [1, 'lost', 2, jump(4)]);
    await chain.close();
    await (await world.open()).close();
    assert.equal(world.lines().length, 4, 'another start says nothing more');
  });

  for (const why of ['too old', 'removed by somebody'] as const)
    test(`calls its files lost if they are gone and were not deleted as too old: ${why}`, async () => {
      const world = new World();
      let chain = await world.open();
      chain.record(jump(1));
      await settled();
      world.clock.stepWall(181 * 24 * 3600_000);
      if (why === 'too old') await chain.deleteOldFiles({ classOfData: 'devices', isInUse: false });
      else for (const name of world.names('.jsonl')) world.disk.remove(name);
      assert.deepEqual(world.names('.jsonl'), []);
      await chain.close();
      chain = await world.open();
      chain.record(jump(2));
      await chain.close();
      assert.deepEqual(
        world.lines().map((line) => contentOf(line)?.record.event),
        why === 'too old' ? ['clock-jump'] : ['lost', 'clock-jump'],
      );
    });

  test('a text that the full disk did not take when its file was complete is written as soon as there is room', async () => {
    for (const isRestarted of [false, true]) {
      const world = new World();
      let chain = await world.open();
      chain.record(jump(1));
      await settled();
      world.clock.stepWall(24 * 3600_000);
      // The lines find room, the texts do not.
      world.disk.onOperation = (operation, name) => {
        if (name.includes('.log') && operation !== 'remove') throw diskError('ENOSPC', operation);
      };
      chain.record(jump(2));
      await settled();
      world.disk.onOperation = () => {};
      chain.record(jump(3));
      await settled();
      if (isRestarted) {
        await chain.close();
        chain = await world.open();
      }
      const texts = world.names('.log').map((name) => world.text(name));
      assert.deepEqual(
        texts.join(''),
        world
          .lines()
          .map((line) => `text of ${hashOf(line)}\n`)
          .join(''),
      );
      assert.equal(texts.length, 2);
      await chain.close();
    }
  });

  test('a power cut or a kill at any moment forks nothing and loses nothing that was handed over', async () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const seen = { adopted: 0, cut: 0 };
    for (let round = 0; round < 400; round++) {
      const world = new World();
      let chain = await world.open();
      for (let life = 0; life < 3; life++) {
        let operations = Math.floor(random() * 40);
        world.disk.onOperation = () => {
          if (operations-- <= 0) throw new SimulatedCrash();
        };
        for (let count = 0; count < 4; count++) {
          world.clock.stepWall(random() < 0.2 ? 24 * 3600_000 : 0);
          chain.record({ event: 'lost', message: 'y'.repeat(Math.floor(random() * 2000)) });
          await settled();
        }
        const head = chain.head!;
        if (random() < 0.5) world.disk.powerCut(random);
        else world.disk.kill();
        chain = await world.open();
        assert.ok(chain.head!.n >= head.n, 'a head that was told went back');
        if (chain.head!.n > head.n) seen.adopted++;
      }
      await settled();
      await chain.close();
      const records = world.verify();
      if (records.some((record) => record.event === 'lost' && record.message.startsWith('a write'))) seen.cut++;
      assert.deepEqual(new Set(world.spooled), new Set(world.lines()), 'a line did not reach the spool');
    }
    assert.ok(seen.adopted > 10 && seen.cut > 10, `the crashes were too tame: ${JSON.stringify(seen)}`);
  });

  test('a disk that fails once at any step repeats the step and no number', async () => {
    for (let at = 0; at < 12; at++) {
      const world = new World();
      const chain = await world.open();
      let operations = at;
      world.disk.onOperation = (operation) => {
        if (operations-- === 0) throw diskError('EIO', operation);
      };
      chain.record(jump(at));
      await settled();
      await world.clock.advance(1000);
      await settled();
      await chain.close();
      assert.deepEqual(world.verify(), [jump(at)]);
    }
  });
});

/** For a chain whose words nobody hears. */
function chainPartsOf(world: World): Parameters<typeof EvidenceChain.open>[0] {
  return {
    sensor: 'usb',
    disk: new SimulatedEvidenceDisk(world.disk),
    spool: { append: () => Promise.resolve(1) },
    clock: systemClock,
    stamp: (record) => ({ ...record, sensor: 'usb', at: 1, monotonicMs: 1, boot: 'b' }),
    textOf: (line) => line,
    onFault: () => {},
  };
}
