import { threadCpuUsage } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Timed<Value> {
  readonly value: Value;
  /** Milliseconds beyond what was allowed, by a clock that stands still while other programs have this processor. */
  readonly lateMs: number;
}

/**
 * Runs `work` and says how late it ended. Once the allowed time is over this thread keeps its processor busy: what it used
 * until the end is the time that it was given. On a quiet machine that is elapsed time; on a busy one it is never more.
 */
export async function timed<Value>(work: () => Promise<Value>, allowedMs = 0): Promise<Timed<Value>> {
  const startedMs = performance.now();
  const usage = threadCpuUsage();
  const over = new AbortController();
  const ended = work().finally(() => over.abort());
  await Promise.allSettled([sleep(allowedMs, undefined, { signal: over.signal })]);
  while (!over.signal.aborted) await new Promise(setImmediate);
  const value = await ended;
  const { user, system } = threadCpuUsage(usage);
  const overMs = performance.now() - startedMs - allowedMs;
  return { value, lateMs: Math.max(0, Math.min(overMs, (user + system) / 1000)) };
}
