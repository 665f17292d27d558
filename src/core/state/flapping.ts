import type { Milliseconds } from '../duration.ts';

const minuteMs = 60_000;
const changesToStart = 4;

interface FlappingPolicy {
  readonly intervalMs: Milliseconds;
}

/** The confirmed changes of a state that still count, and since when it is unstable. */
export interface Flapping {
  /** Epoch milliseconds, ascending. */
  readonly changes: readonly number[];
  readonly unstableSince?: number | undefined;
}

export const steady: Flapping = { changes: [] };

/** By clock time, never by the number of results: a slow monitor calms down as fast as a quick one. */
function windowMs({ intervalMs }: FlappingPolicy): Milliseconds {
  return Math.max(30 * minuteMs, 12 * intervalMs);
}

/** Without a change for so long a state is stable again. */
export function calmMs({ intervalMs }: FlappingPolicy): Milliseconds {
  return Math.max(15 * minuteMs, 5 * intervalMs);
}

/** After a confirmed change: four within the window make it unstable. */
export function afterChange(flapping: Flapping, at: number, policy: FlappingPolicy): Flapping {
  const since = at - windowMs(policy);
  const changes = [...flapping.changes.filter((time) => time > since), at];
  const isUnstable = flapping.unstableSince !== undefined || changes.length >= changesToStart;
  return { changes, ...(isUnstable && { unstableSince: flapping.unstableSince ?? at }) };
}

/** When an unstable state is stable again unless it changes before; undefined if it is stable. */
export function calmAt({ changes, unstableSince }: Flapping, policy: FlappingPolicy): number | undefined {
  return unstableSince === undefined ? undefined : (changes.at(-1) ?? unstableSince) + calmMs(policy);
}
