import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSpool } from '../../src/commands/agent/open-spool.ts';
import type { Spool } from '../../src/agent/spool/spool.ts';
import type { GapItem, ResultItem } from '../../src/core/entry.ts';
import { timed } from '../../src/testing/lateness.ts';
import { fillDisk, mountSmallDisk } from '../../src/testing/small-disk.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const kills = Number(process.env['WATCHKEEPER_SPOOL_KILLS'] ?? 25);
const child = fileURLToPath(new URL('./spool-child.ts', import.meta.url));

/** The server of the test: keeps what arrives, and remembers what was said to be recorded. */
class Witness {
  readonly recorded = new Map<number, string>();
  readonly received = new Map<number, string>();
  readonly epochs = new Set<string>();
  doubled = 0;

  /** `line` came from a child; the answer is for its input. */
  hear(line: string): string | undefined {
    const [word = '', seq = '', rest = ''] = line.split(/ (.*?)(?: (.*))?$/s);
    if (word === 'opened') this.epochs.add(seq);
    if (word === 'recorded') this.recorded.set(Number(seq), rest);
    if (word !== 'sent') return undefined;
    const known = this.received.get(Number(seq));
    assert.ok(known === undefined || known === rest, `number ${seq} came with two contents`);
    if (known !== undefined) this.doubled += 1;
    this.received.set(Number(seq), rest);
    return `ack ${seq}\n`;
  }

  verify(): void {
    assert.equal(this.epochs.size, 1, 'the epoch changed though the spool was there');
    for (const [seq, ticket] of this.recorded) {
      const json = this.received.get(seq);
      assert.ok(json !== undefined, `entry ${seq} (${ticket}) was recorded and never arrived`);
      assert.equal((JSON.parse(json) as ResultItem).taskId, ticket);
    }
    const declared = new Set<number>();
    for (const json of this.received.values()) {
      const item = JSON.parse(json) as GapItem | ResultItem;
      if (item.kind !== 'gap') continue;
      for (const [from, to] of item.ranges) for (let seq = from; seq <= to; seq++) declared.add(seq);
    }
    const last = Math.max(...this.received.keys());
    for (let seq = 1; seq <= last; seq++)
      assert.ok(this.received.has(seq) || declared.has(seq), `number ${seq} is missing`);
  }
}

/** Runs the child until it ends; `onOpened` may end it earlier. */
async function runChild(witness: Witness, args: readonly string[], options: ChildOptions = {}): Promise<number | null> {
  const command = [...(options.under ?? []), process.execPath, '--disable-warning=ExperimentalWarning', child, ...args];
  const process_ = spawn(command[0] ?? '', command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  // What is on its way to a killed child may fail to arrive.
  process_.stdin.on('error', () => {});
  const lines = createInterface({ input: process_.stdout });
  lines.on('line', (line) => {
    const answer = witness.hear(line);
    if (answer !== undefined) process_.stdin.write(answer);
    if (line.startsWith('opened')) options.onOpened?.(process_);
  });
  const [[code]] = await Promise.all([once(process_, 'exit') as Promise<[number | null]>, once(lines, 'close')]);
  return code;
}

interface ChildOptions {
  readonly under?: readonly string[];
  readonly onOpened?: (child: ChildProcess) => void;
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-spool-'));
  t.after(() => removeFolder(folder));
  return folder;
}

test(`B4: ${kills} kill -9 at random instants lose nothing and double nothing`, async (t) => {
  const folder = await temporaryFolder(t);
  const witness = new Witness();
  for (let run = 0; run < kills; run++) {
    const recordedBefore = witness.recorded.size;
    const code = await runChild(witness, ['--folder', folder, '--name', `run${run}`], {
      onOpened: (child) => setTimeout(() => child.kill('SIGKILL'), 5 + Math.random() * 150),
    });
    assert.equal(code, null, 'it ended by itself');
    t.diagnostic(`run ${run}: ${witness.recorded.size - recordedBefore} recorded`);
  }
  assert.equal(await runChild(witness, ['--folder', folder, '--name', 'last', '--count', '10']), 0);
  witness.verify();
  assert.ok(witness.recorded.size > kills * 10, `only ${witness.recorded.size} entries: the kills came too early`);
});

test('FC10: no append is acknowledged before its bytes are synced, as strace saw it', async (t) => {
  if (spawnSync('strace', ['-V']).error) return t.skip('strace is not installed');
  const folder = await temporaryFolder(t);
  const trace = join(folder, 'trace');
  const witness = new Witness();
  const under = ['strace', '-f', '-y', '-s', '64', '-e', 'trace=write,pwrite64,fdatasync', '-o', trace];
  const count = 50;
  const args = ['--folder', join(folder, 'spool'), '--name', 't', '--count', String(count), '--waiting', '1'];
  assert.equal(await runChild(witness, args, { under }), 0);
  witness.verify();
  let [isWritten, isSynced, acknowledged] = [false, false, 0];
  for (const line of completed(readFileSync(trace, 'utf8').split('\n'))) {
    if (/pwrite64\(\d+<[^>]*\.segment>/.test(line)) [isWritten, isSynced] = [true, false];
    if (/fdatasync\(\d+<[^>]*\.segment>\) += 0/.test(line)) isSynced = isWritten;
    if (!/write\(1<[^>]*>, "recorded /.test(line)) continue;
    assert.ok(isWritten && isSynced, `acknowledged before it was synced: ${line}`);
    [isWritten, isSynced] = [false, false];
    acknowledged += 1;
  }
  assert.equal(acknowledged, count, 'the trace does not show every acknowledgement');
});

test('D8: a sync that fails is never taken for one that succeeded', async (t) => {
  if (spawnSync('strace', ['-V']).error) return t.skip('strace is not installed');
  const folder = await temporaryFolder(t);
  const witness = new Witness();
  const under = [
    'strace',
    '-f',
    '-o',
    '/dev/null',
    '-e',
    'trace=fdatasync',
    '-e',
    'inject=fdatasync:error=EIO:when=4+7',
  ];
  const args = ['--folder', folder, '--count', '60', '--waiting', '10'];
  assert.equal(await runChild(witness, [...args, '--name', 'bad'], { under }), 0);
  assert.equal(await runChild(witness, [...args, '--name', 'good']), 0);
  witness.verify();
  assert.equal(witness.recorded.size, 120);
});

test('FC05, D7: a disk that gets full is said; its reserve still takes what must not be lost, then entries wait, and the backlog drains', async (t) => {
  await using disk = await mountSmallDisk();
  if (disk === undefined) return t.skip('no file system can be mounted here: that needs root');
  const folder = join(disk.path, 'spool');
  await using spool = await openSpool(folder);
  await until(() => existsSync(join(folder, 'reserve')));
  await append(spool, { from: 0, count: 20 });
  const { bavail, bsize, blocks } = statfsSync(folder);
  writeFileSync(join(disk.path, 'most'), Buffer.alloc((bavail - Math.floor(blocks * 0.08)) * bsize, 1));
  await until(() => /has [78] % left/.test(spool.stats().warning ?? ''));

  const filler = join(disk.path, 'filler');
  fillDisk(filler);
  await append(spool, { from: 20, count: 10, droppable: false });
  assert.match(spool.stats().warning ?? '', /reserve is in use/);
  assert.equal(spool.stats().impaired, undefined);

  fillDisk(`${filler}-2`);
  const waiting = append(spool, { from: 30, count: 60 });
  await until(() => spool.stats().impaired !== undefined);
  assert.match(spool.stats().impaired ?? '', /ENOSPC/);
  await spool.startSending();
  const sent = await drain(spool);
  assert.ok(sent >= 20, `${sent} were sent from a full disk`);

  for (const file of ['most', 'filler', 'filler-2']) rmSync(join(disk.path, file));
  const { value: numbers, lateMs } = await timed(() => waiting);
  assert.equal(new Set(numbers).size, 60);
  assert.ok(lateMs < 30_000, `${lateMs} ms`);
  assert.equal(spool.stats().impaired, undefined);
  while (spool.stats().depth > 0) await drain(spool);
  await until(() => existsSync(join(folder, 'reserve')) && spool.stats().warning === undefined);
});

async function append(
  spool: Spool,
  { from, count, droppable = true }: { readonly from: number; readonly count: number; readonly droppable?: boolean },
): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const times = { scheduledAt: 0, startedAt: 0, durationMs: 1 };
      const outcome = { status: 'up', metrics: {}, detail: {}, message: 'x'.repeat(100_000) } as const;
      return spool.append(
        { kind: 'result', taskId: `t${from + index}`, monitorId: 'm', ...times, ...outcome },
        { droppable },
      );
    }),
  );
}

/** Sends and acknowledges what there is. */
async function drain(spool: Spool): Promise<number> {
  let sent = 0;
  for (const lane of ['backlog', 'live'] as const) {
    for (
      let entries;
      (entries = await spool.read(lane, { maxBytes: 1e6, maxCount: 100 })).length > 0;
      sent += entries.length
    ) {
      spool.acknowledge(entries.map(({ seq }) => [seq, seq]));
    }
  }
  return sent;
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!isTrue()) {
    assert.ok(performance.now() < deadline, 'it did not come about within two minutes');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** strace splits a call that another thread interrupts; put together, it stands where it returned. */
function completed(lines: readonly string[]): string[] {
  const begun = new Map<string, string>();
  return lines.flatMap((line) => {
    const [thread = ''] = line.split(' ');
    if (line.endsWith('<unfinished ...>')) {
      begun.set(thread, line.replace(' <unfinished ...>', ''));
      // An acknowledgement counts from where it began.
      return line.includes('"recorded ') ? [line] : [];
    }
    const rest = /<\.\.\. \w+ resumed>(.*)/.exec(line)?.[1];
    if (rest === undefined) return [line];
    const whole = (begun.get(thread) ?? '') + rest;
    return whole.includes('"recorded ') ? [] : [whole];
  });
}
