import type { Milliseconds } from './duration.ts';
import type { Monitor } from './monitor.ts';

/**
 * The times a monitor is due: `phase + k × interval` on the epoch, so that they depend on nothing but the monitor.
 * They neither drift nor change when the process restarts.
 */
export interface Schedule {
  /** 0 ≤ phase < interval, whole milliseconds. */
  readonly phaseMs: Milliseconds;
  readonly intervalMs: Milliseconds;
}

export function scheduleOf({ id, intervalMs }: Pick<Monitor, 'id' | 'intervalMs'>): Schedule {
  return { phaseMs: Math.floor((hash32(id) / 2 ** 32) * intervalMs), intervalMs };
}

/** The first slot later than `time`, epoch milliseconds. */
export function slotAfter({ phaseMs, intervalMs }: Schedule, time: number): number {
  return (Math.floor((time - phaseMs) / intervalMs) + 1) * intervalMs + phaseMs;
}

/** Of monitors that are added together, this many have their first run at once: with few monitors nobody waits. */
const firstAtOnce = 20;
/** The first result comes within this time, however long the interval. */
const firstWithinMs = 60_000;

/** Whether a person would wait long for the first slot: such a monitor has a first run before it, on agents too. */
export function isFirstSlotFar({ intervalMs }: Schedule): boolean {
  return intervalMs > firstWithinMs;
}

/** First run of a monitor added at `time`, by its place among those added with it; never later than its first slot. */
export function firstRunAfter(schedule: Schedule, time: number, place: number): number {
  if (place < firstAtOnce) return time;
  const { phaseMs, intervalMs } = schedule;
  const spreadMs = (phaseMs / intervalMs) * Math.min(intervalMs, firstWithinMs);
  return Math.min(slotAfter(schedule, time), time + spreadMs);
}

/** How many slots lie in `from ≤ slot < until`; `from` must be a slot. */
export function slotsBetween({ intervalMs }: Schedule, from: number, until: number): number {
  return Math.max(0, Math.ceil((until - from) / intervalMs));
}

/**
 * FNV-1a with the finaliser of MurmurHash3, 32 bits. FNV alone leaves ids that differ only in their last characters close
 * together in the high bits, which are the ones that make the phase.
 */
function hash32(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
