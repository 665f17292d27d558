import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { SensorRecord } from '../../core/record.ts';
import { createIdentity, keyPin, signBytes } from '../../protocol/identity.ts';
import { lineText } from '../record-line.ts';
import { ChainWriter } from '../../testing/chain-writer.ts';
import { signedManifest } from '../../server/evidence/manifest.ts';
import type { Alarm } from '../../server/store/evidence.ts';
import { readRecord } from '../../server/evidence/read-record.ts';
import { verifyAgentFolder } from './verify-agent-folder.ts';
import { manifestFile, signatureFile, verifyExport } from './verify-export.ts';

const device = {
  port: '2-1',
  vendorId: '0781',
  productId: '5567',
  interfaces: ['080650'],
  risks: ['storage' as const],
};
const records: readonly SensorRecord[] = [
  { event: 'sensor-started', message: 'by order of the lab' },
  { event: 'usb-connected', device: { ...device, product: 'Stäbchen ✓' } },
  { event: 'usb-removed', device },
  { event: 'lost', message: 'one event', count: 1 },
];
const alarm: Alarm = {
  chain: '',
  agentId: 'agent-1',
  sensor: 'usb',
  n: 2,
  cause: 'edited',
  at: 4000,
  message: 'expected line 2 as it was sealed',
};
const newServer = () => ({ ...createIdentity(), serverId: crypto.randomUUID() });
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

const linesIn = (bytes: Buffer): string[] => bytes.toString().split(/(?<=\n)/);

function writerOf(sensor: 'usb' | 'mounts' = 'usb'): ChainWriter {
  const writer = new ChainWriter(sensor);
  for (const [index, record] of records.entries()) writer.write(record, { at: 1000 + index });
  return writer;
}

/** What a server exports of these chains, line 3 of the second having never come. */
async function exportTo(
  folder: string,
  writers: readonly ChainWriter[],
  { identity, alarms = [] }: { readonly identity: ReturnType<typeof newServer>; readonly alarms?: readonly Alarm[] },
): Promise<void> {
  const kept = writers.map((writer, index) => ({
    writer,
    lines: writer.lines.filter((_, line) => index !== 1 || line !== 2),
  }));
  const { manifest, signature } = await signedManifest(
    { agentId: 'agent-1', agent: 'seat-17' },
    {
      identity,
      version: '1.0.0',
      now: 5000,
      store: {
        chains: async () =>
          kept.map(({ writer: { first, sensor, lines } }) => ({
            chain: first.chain,
            agentId: 'agent-1',
            sensor,
            begunAt: 900,
            droppedTo: 0,
            last: lines.length,
            anchor: undefined,
            cursor: { n: lines.length, head: undefined, key: 'key' },
          })),
        lines: async ({ chain, from }) =>
          kept
            .filter(({ writer }) => writer.first.chain === chain)
            .flatMap(({ lines }) => lines)
            .flatMap((line) => {
              const reading = readRecord({ kind: 'record', chain, line }, { sensor: undefined, receivedAt: 0 });
              return reading && reading.record.n >= from ? [reading.record] : [];
            }),
        alarms: async () => alarms,
      },
    },
  );
  await writeFile(join(folder, manifestFile), manifest);
  await writeFile(join(folder, signatureFile), `${signature}\n`);
  for (const [sensor, ofSensor] of Map.groupBy(kept, ({ writer }) => writer.sensor)) {
    const lines = ofSensor.flatMap((each) => each.lines);
    await writeFile(join(folder, `${sensor}.jsonl`), textOf(lines));
    await writeFile(join(folder, `${sensor}.log`), textOf(lines.map(lineText)));
  }
}

describe('exported evidence', () => {
  let folder: string;
  const server = newServer();
  const pin = keyPin(server.publicKey);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'watchkeeper-verify-'));
    await exportTo(folder, [writerOf(), writerOf(), writerOf('mounts')], { identity: server });
  });
  after(() => rm(folder, { recursive: true }));

  /** What is found after a change, which is then undone. */
  async function foundAfter(name: string, change: (bytes: Buffer) => string | Uint8Array): Promise<readonly string[]> {
    const whole = await readFile(join(folder, name));
    await writeFile(join(folder, name), change(whole));
    const { findings } = await verifyExport(folder);
    await writeFile(join(folder, name), whole);
    return findings.map(({ file, line, message }) => `${file}:${line ?? ''}: ${message}`);
  }

  test('SG8: that nobody touched is genuine, with the records it has and the gaps between them', async () => {
    const { judgement, findings, sensors, agent } = await verifyExport(folder, { pin });
    assert.deepEqual([judgement, findings], ['genuine', []]);
    assert.deepEqual(agent, { id: 'agent-1', name: 'seat-17' });
    assert.deepEqual(
      sensors.map(({ sensor, chains }) => [sensor, ...chains.flatMap(({ runs }) => runs)]),
      [
        ['usb', { first: 1, last: 4 }, { first: 1, last: 2 }, { first: 4, last: 4 }],
        ['mounts', { first: 1, last: 4 }],
      ],
    );
    assert.deepEqual(sensors[0]?.lost, ['one event', 'one event']);
  });

  test('SG8: is of a signer that nobody knows, unless the pin of its key is given', async () => {
    const other = keyPin(newServer().publicKey);
    for (const [expected, judgement] of [
      [undefined, 'signer-unknown'],
      [other, 'signer-unknown'],
      [pin, 'genuine'],
    ] as const) {
      const verdict = await verifyExport(folder, { pin: expected });
      assert.equal(verdict.judgement, judgement);
      assert.equal(verdict.signature?.pin, pin);
    }
  });

  test('SG8: with an alarm of the server is never complete; without gaps, losses and alarms it is', async (t) => {
    for (const [alarms, judgement] of [
      [[], 'complete'],
      [[alarm], 'genuine'],
    ] as const) {
      const quiet = await mkdtemp(join(tmpdir(), 'watchkeeper-verify-'));
      t.after(() => rm(quiet, { recursive: true }));
      const writer = new ChainWriter();
      for (const [at, record] of [
        [1000, records[0]!],
        [1001, { event: 'sensor-state', state: 'running', message: 'looks' }],
        [1002, records[1]!],
      ] as const)
        writer.write(record, { at });
      await exportTo(quiet, [writer], {
        identity: server,
        alarms: alarms.map((each) => ({ ...each, chain: writer.first.chain })),
      });
      const verdict = await verifyExport(quiet, { pin });
      assert.equal(verdict.judgement, judgement);
      assert.deepEqual(
        verdict.alarms.map(({ cause }) => cause),
        alarms.map(({ cause }) => cause),
      );
    }
  });

  for (const name of [manifestFile, signatureFile, 'usb.jsonl', 'usb.log'])
    test(`SG8: with any byte of ${name} changed is refused`, async (t) => {
      const small = await mkdtemp(join(tmpdir(), 'watchkeeper-verify-'));
      t.after(() => rm(small, { recursive: true }));
      const writer = new ChainWriter();
      for (const at of [1000, 1001]) writer.write({ event: 'watching' }, { at });
      await exportTo(small, [writer], { identity: server });
      const whole = await readFile(join(small, name));
      for (let at = 0; at < whole.length; at++) {
        await writeFile(join(small, name), whole.with(at, (whole[at] ?? 0) ^ 1));
        assert.equal((await verifyExport(small, { pin })).judgement, 'altered', `byte ${at} of ${name}`);
      }
    });

  test('with a line removed, repeated or swapped says where', async () => {
    for (let index = 0; index < 7; index++) {
      const removed = await foundAfter('usb.jsonl', (bytes) => linesIn(bytes).toSpliced(index, 1).join(''));
      assert.match(removed[0] ?? '', new RegExp(`^usb.jsonl:${index + 1}: expected `), `line ${index + 1} removed`);
      const twice = await foundAfter('usb.jsonl', (bytes) =>
        linesIn(bytes)
          .flatMap((line, at) => (at === index ? [line, line] : [line]))
          .join(''),
      );
      assert.match(twice[0] ?? '', new RegExp(`^usb.jsonl:${index + 2}: expected `), `line ${index + 1} repeated`);
    }
    const swapped = await foundAfter('usb.jsonl', (bytes) => {
      const [one = '', two = '', ...rest] = linesIn(bytes);
      return [two, one, ...rest].join('');
    });
    assert.match(swapped[0] ?? '', /^usb.jsonl:1: expected record 1 of its chain, got record 2/);
  });

  test('with an edited line names the line below it, whose hash no longer fits', async () => {
    const found = await foundAfter('mounts.jsonl', (bytes) => bytes.toString().replace('0781', '0782'));
    assert.match(found[0] ?? '', /^mounts.jsonl:3: expected record 3 to name .*, the hash of the line above it/);
    const last = await foundAfter('mounts.jsonl', (bytes) => bytes.toString().replace('one event', 'no event'));
    assert.match(last[0] ?? '', /^mounts.jsonl:4: expected record 4 with the hash .* that was signed/);
  });

  test('with a file added, removed or renamed names it', async () => {
    await writeFile(join(folder, 'more.txt'), '');
    await rename(join(folder, 'mounts.log'), join(folder, 'mounts.old'));
    const { findings } = await verifyExport(folder);
    await rm(join(folder, 'more.txt'));
    await rename(join(folder, 'mounts.old'), join(folder, 'mounts.log'));
    assert.deepEqual(findings.map(({ file }) => file).toSorted(), ['more.txt', 'mounts.log', 'mounts.old']);
  });

  test('with a link, a pipe or a folder in the place of a file is refused, and none is opened', async () => {
    const puts: readonly ((path: string) => unknown)[] = [
      (path) => symlink('/dev/zero', path),
      (path) => symlink(join(folder, 'mounts.jsonl'), path),
      (path) => execFileSync('mkfifo', [path]),
      (path) => mkdir(path),
    ];
    for (const name of [manifestFile, signatureFile, 'usb.jsonl', 'usb.log']) {
      const path = join(folder, name);
      await rename(path, `${folder}.kept`);
      for (const put of puts) {
        await put(path);
        const { findings } = await verifyExport(folder);
        assert.ok(findings.some(({ file, message }) => file === name && message.startsWith('expected a file, got')));
        await rm(path, { recursive: true });
      }
      await rename(`${folder}.kept`, path);
    }
  });

  test('with gigabytes in the place of a file is refused at once', async () => {
    for (const name of ['usb.jsonl', 'usb.log']) {
      const path = join(folder, name);
      await rename(path, `${folder}.kept`);
      await writeFile(path, '');
      await truncate(path, 8 * 1024 ** 3);
      assert.ok((await verifyExport(folder)).findings.length > 0);
      await rename(`${folder}.kept`, path);
    }
  });

  test('with carriage returns, without its last line feed, or with a key twice is refused', async () => {
    for (const change of [
      (text: string) => text.replaceAll('\n', '\r\n'),
      (text: string) => text.slice(0, -1),
      (text: string) => text.replace('"n":1', '"n":1,"n":1'),
    ])
      assert.ok((await foundAfter('mounts.jsonl', (bytes) => change(bytes.toString()))).length > 0);
    const twice = await foundAfter(manifestFile, (bytes) =>
      bytes.toString().replace('"agentId"', '"agentId": "agent-2",\n  "agentId"'),
    );
    assert.match(twice[0] ?? '', /expected bytes that manifest.sig signs/);
  });

  test('of an agent without records is genuine, and not complete', async () => {
    const other = await mkdtemp(join(tmpdir(), 'watchkeeper-verify-'));
    await exportTo(other, [], { identity: server });
    const { judgement, findings, sensors } = await verifyExport(other, { pin: pin });
    await rm(other, { recursive: true });
    assert.deepEqual([judgement, findings, sensors], ['genuine', [], []]);
  });

  test('of form 1, which an older server wrote, is read as before', async () => {
    const old = await mkdtemp(join(tmpdir(), 'watchkeeper-verify-'));
    await exportTo(old, [], { identity: server });
    const bytes = JSON.stringify({
      ...JSON.parse(await readFile(join(old, manifestFile), 'utf8')),
      evidence: 'watchkeeper 1',
      asked: undefined,
    });
    await writeFile(join(old, manifestFile), bytes);
    await writeFile(join(old, signatureFile), `${signBytes(server, Buffer.from(bytes))}\n`);
    const { judgement, asked } = await verifyExport(old, { pin: pin });
    await rm(old, { recursive: true });
    assert.deepEqual([judgement, asked], ['genuine', undefined]);
  });

  test('without its signature, its list, or with bytes that are no text is refused, not thrown at', async () => {
    assert.ok((await foundAfter(signatureFile, () => '')).length > 0);
    assert.ok((await foundAfter(manifestFile, () => '')).length > 0);
    assert.ok((await foundAfter(manifestFile, () => '{"evidence":"watchkeeper 1"}')).length > 0);
    assert.ok((await foundAfter('usb.jsonl', () => new Uint8Array(3_000_000).fill(0xff))).length > 0);
    assert.ok((await foundAfter('usb.jsonl', () => 'x\n'.repeat(100_000))).length <= 22, 'as many as can be read');
  });
});

describe('the evidence folder of an agent', () => {
  let folder: string;
  let writer: ChainWriter;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'watchkeeper-verify-'));
    writer = writerOf();
    await mkdir(join(folder, 'usb'));
    const { chain, n, head } = writer.head();
    await writeFile(join(folder, 'usb', 'chain.json'), JSON.stringify({ chain, n, head, key: writer.key }));
    for (const [file, lines] of [
      ['2026-12-02', writer.lines.slice(1, 3)],
      ['2026-12-03', writer.lines.slice(3)],
    ] as const) {
      await writeFile(join(folder, 'usb', `${file}.jsonl`), textOf(lines));
      await writeFile(join(folder, 'usb', `${file}.log`), textOf(lines.map(lineText)));
    }
  });
  after(() => rm(folder, { recursive: true }));

  test('SG8: links, over all its files, from the first line that is kept to that of chain.json, and is not signed', async () => {
    for (const path of [folder, join(folder, 'usb')]) {
      const { judgement, findings, sensors } = await verifyAgentFolder(path);
      assert.deepEqual([judgement, findings], ['unsigned', []]);
      assert.deepEqual(sensors[0]?.chains, [{ chain: writer.first.chain, runs: [{ first: 2, last: 4 }] }]);
    }
  });

  test('with any byte of its lines changed is refused', async () => {
    for (const name of ['2026-12-02.jsonl', '2026-12-03.jsonl', '2026-12-02.log']) {
      const whole = await readFile(join(folder, 'usb', name));
      for (let at = 0; at < whole.length; at++) {
        await writeFile(join(folder, 'usb', name), whole.with(at, (whole[at] ?? 0) ^ 1));
        assert.ok((await verifyAgentFolder(folder)).findings.length > 0, `byte ${at} of ${name}`);
      }
      await writeFile(join(folder, 'usb', name), whole);
    }
  });

  test('with its end cut is refused, and so is a line that was added', async () => {
    const file = join(folder, 'usb', '2026-12-03.jsonl');
    const whole = await readFile(file);
    await writeFile(file, '');
    const cut = (await verifyAgentFolder(folder)).findings;
    await writeFile(file, whole);
    assert.match(
      cut.map(({ message }) => message).join('\n'),
      /record 4 with the hash .* of chain.json to be the last, got record 3/,
    );
    await appendFile(file, `${writer.lines[1]}\n`);
    assert.match(
      (await verifyAgentFolder(folder)).findings[0]?.message ?? '',
      /expected record 5 of its chain, got record 2/,
    );
    await writeFile(file, whole);
  });

  test('whose agent is at work has lines that are newer than chain.json: with its key, or refused', async () => {
    const file = join(folder, 'usb', '2026-12-03.jsonl');
    const before = await readFile(file);
    const forged = new ChainWriter();
    const sealed = writer.write({ event: 'clock-jump', byMs: 5 });
    const linked = forged
      .write({ event: 'clock-jump', byMs: 6 })
      .replace(/"n":1,"p":"[^"]+"/, /"n":5,"p":"[^"]+"/.exec(sealed)?.[0] ?? '');
    for (const [line, isSound] of [
      [sealed, true],
      [linked, false],
    ] as const) {
      await writeFile(file, `${before.toString()}${line}\n`);
      const { findings, sensors } = await verifyAgentFolder(folder);
      assert.deepEqual(findings.length === 0, isSound, JSON.stringify(findings));
      if (isSound) assert.equal(sensors[0]?.chains[0]?.runs[0]?.last, 5);
      else assert.match(findings[0]?.message ?? '', /sealed with the key of chain.json, got one that is edited/);
    }
    await writeFile(file, before);
  });

  test('that is none is told as misuse', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'watchkeeper-verify-'));
    await assert.rejects(verifyAgentFolder(empty), { code: 'usage' });
    assert.deepEqual(await readdir(empty), []);
    await rm(empty, { recursive: true });
  });
});
