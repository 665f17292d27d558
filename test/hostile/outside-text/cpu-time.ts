import { threadCpuUsage } from 'node:process';

/** The most that reading one text may hold up the event loop, for 1 MiB of it. */
export const maxCpuMs = 50;
export const mebibyte = 1024 * 1024;

/** Milliseconds of this thread's processor, which other programs on the machine add nothing to. */
export function cpuMsOf(work: () => unknown): number {
  const before = threadCpuUsage();
  work();
  const { user, system } = threadCpuUsage(before);
  return (user + system) / 1000;
}

/** The least of a few measurements: a processor shared with others is slow at times. Ends with the first one within the limit. */
export function leastOf(measure: () => number): number {
  let leastMs = Infinity;
  for (let tries = 0; tries < 3 && leastMs > maxCpuMs; tries++) leastMs = Math.min(leastMs, measure());
  return leastMs;
}
