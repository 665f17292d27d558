import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EvidenceChain } from '../../src/agent/evidence/evidence-chain.ts';
import { EvidenceFolder } from '../../src/agent/evidence/evidence-disk.ts';
import { systemClock as clock } from '../../src/core/clock.ts';
import type { RecordItem } from '../../src/core/entry.ts';
import { follow, hashOf, type ChainState } from '../../src/records/chain.ts';
import { lineText } from '../../src/records/record-line.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { fillDisk, mountSmallDisk } from '../../src/testing/small-disk.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const killsPerFolder = 25;
const child = fileURLToPath(new URL('./evidence-child.ts', import.meta.url));

/** The server of the test: what it was told, and what reached the spool. */
class Witness {
  readonly heads = new Map<number, string>();
  readonly spooled = new Set<string>();
  start: ChainState | undefined;

  hear(line: string): void {
    const [word = '', first = '', second = ''] = line.split(' ', 3);
    if (word === 'fault') assert.fail(line);
    if (word === 'begin' && this.start?.chain !== first) {
      assert.equal(this.start, undefined, 'a second chain began though the first was there');
      this.start = { chain: first, n: 0, head: hashOf(first), key: second };
    }
    if (word === 'spooled') this.spooled.add(line.slice('spooled '.length));
    if (word !== 'head') return;
    assert.equal(this.heads.get(Number(first)) ?? second, second, `line ${first} had two heads`);
    this.heads.set(Number(first), second);
  }

  /** The files hold one unbroken chain with every head that was told, and the spool has it all and nothing else. */
  verify(folder: string): readonly string[] {
    assert.ok(this.start);
    let state = this.start;
    const files = globSync(join(folder, '*.jsonl')).toSorted();
    const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1));
    for (const line of lines) {
      const next = follow(state, line);
      assert.equal(next.fault, undefined, `line ${next.state.n}`);
      state = next.state;
      assert.equal(this.heads.get(state.n) ?? state.head, state.head, `line ${state.n} is not what was told`);
    }
    assert.ok(Math.max(...this.heads.keys()) <= state.n, 'a head was told of a line that is not there');
    assert.deepEqual(this.spooled, new Set(lines), 'the spool and the files differ');
    return lines;
  }
}

type Moment = 'opened' | 'recorded';

/** Kills the child within 40 ms after it began to record, or after its first line was safe. */
async function runAndKill(folder: string, witness: Witness, moment: Moment): Promise<void> {
  const said = `${folder}.said`;
  const program = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', child, folder, said], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  program.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes(moment)) setTimeout(() => program.kill('SIGKILL'), Math.random() * 40);
  });
  await once(program, 'exit');
  assert.equal(program.signalCode, 'SIGKILL', 'it ended by itself');
  for (const line of readFileSync(said, 'utf8').split('\n')) witness.hear(line);
  rmSync(said);
}

function open(folder: string, onLine: (line: string) => number, onFault = assert.fail): Promise<EvidenceChain> {
  return EvidenceChain.open({
    sensor: 'usb',
    disk: new EvidenceFolder(folder),
    spool: { append: (item) => Promise.resolve(onLine((item as RecordItem).line)) },
    clock,
    stamp: (record) => ({ ...record, sensor: 'usb', at: clock.now(), monotonicMs: clock.monotonic(), boot: 'boot' }),
    textOf: lineText,
    onFault,
  });
}

describe('evidence', { concurrency: true }, () => {
  for (const index of [1, 2]) {
    test(`E5: is killed ${killsPerFolder} times and stays one chain, all of it delivered (${index})`, async (t) => {
      const parent = await mkdtemp(join(tmpdir(), 'watchkeeper-evidence-'));
      t.after(() => removeFolder(parent));
      const folder = join(parent, 'usb');
      const witness = new Witness();
      for (let kill = 0; kill < killsPerFolder; kill++)
        await runAndKill(folder, witness, kill % 2 === 0 ? 'opened' : 'recorded');
      const chain = await open(folder, (line) => witness.spooled.add(line).size);
      await chain.close();
      const lines = witness.verify(folder);
      t.diagnostic(`${lines.length} lines`);
      assert.ok(lines.length >= Math.floor(killsPerFolder / 2));
      // The text was not synced and its end was lost with each kill: it is whole all the same.
      const [file = ''] = globSync(join(folder, '*.log')).toSorted();
      assert.equal(readFileSync(file, 'utf8'), lines.map((line) => `${lineText(line)}\n`).join(''));
    });
  }

  test('E5: on a disk that is full, waits, loses nothing and numbers nothing twice', async (t) => {
    await using disk = await mountSmallDisk();
    if (!disk) return t.skip('no disk of its own: that needs root and loop devices');
    const folder = join(disk.path, 'usb');
    const witness = new Witness();
    const faults: string[] = [];
    const chain = await open(
      folder,
      (line) => witness.spooled.add(line).size,
      (text) => void faults.push(String(text)) as never,
    );
    const { chain: id, key } = chain.announcement!;
    witness.hear(`begin ${id} ${key}`);
    await chain.announced();
    const filler = join(disk.path, 'filler');
    fillDisk(filler);
    for (let count = 0; count < 3000; count++) chain.record({ event: 'lost', message: 'y'.repeat(250), count });
    await eventually('the disk refuses', () => chain.impaired);
    assert.match(faults[0] ?? '', /ENOSPC/);
    const { n = 0 } = chain.head ?? {};
    assert.ok(n < 3000);
    await rm(filler);
    await eventually('all is written', () => chain.head?.n === 3000);
    await chain.close();
    assert.equal(witness.spooled.size, 3000);
    witness.hear(`head 3000 ${chain.head?.head}`);
    witness.verify(folder);
  });
});
