import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { text } from 'node:stream/consumers';
import { findCheckType } from '../../src/checks/registry.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Result } from '../../src/core/monitor.ts';
import { createNetwork } from '../../src/net/network.ts';
import { runMonitor } from '../../src/schedule/runner.ts';
import { timed } from '../../src/testing/lateness.ts';

/** What a run against a hostile target may cost at most. */
export const graceMs = 250;
export const maxExtraBytes = 32 * 1024 * 1024;

export interface HostileRun {
  readonly type: string;
  /** As a person would write them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
}

export interface Measured {
  readonly result: Result;
  /** How long after its timeout it ended; 0 if within it. */
  readonly lateMs: number;
  /** How far the process's memory rose above where it was when the run began, at its peak. */
  readonly extraBytes: number;
}

/** Runs each in turn in one fresh process, after a first run that loads what every run needs. */
export async function measure(warmUp: HostileRun, runs: readonly HostileRun[]): Promise<readonly Measured[]> {
  const args = ['--expose-gc', '--disable-warning=ExperimentalWarning', import.meta.filename];
  const child = promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
  child.child.stdin?.end(JSON.stringify([warmUp, warmUp, ...runs]));
  // The process below writes nothing but this.
  const measured = JSON.parse((await child).stdout) as Measured[];
  return measured.slice(2);
}

async function measureOne({ type, options, timeoutMs }: HostileRun): Promise<Measured> {
  const check = findCheckType(type);
  if (!check) throw new Error(`no check type ${type}`);
  const parsed = check.options.parse(options);
  const monitor = {
    id: 'm',
    name: 'm',
    type,
    target: check.targetOf(parsed),
    options: parsed,
    intervalMs: 1000,
    timeoutMs,
  };
  const net = createNetwork({ clock: systemClock });
  globalThis.gc?.();
  // Makes the kernel forget the highest memory so far (proc(5), clear_refs).
  writeFileSync('/proc/self/clear_refs', '5');
  const before = memory('VmRSS');
  const context = { clock: systemClock, net, controller: new AbortController() };
  const { value: result, lateMs } = await timed(() => runMonitor(monitor, context), timeoutMs);
  return { result, lateMs, extraBytes: memory('VmHWM') - before };
}

function memory(field: 'VmRSS' | 'VmHWM'): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

if (import.meta.main) {
  // Written by the function above.
  const runs = JSON.parse(await text(process.stdin)) as HostileRun[];
  const measured: Measured[] = [];
  for (const run of runs) measured.push(await measureOne(run));
  process.stdout.write(JSON.stringify(measured));
}
