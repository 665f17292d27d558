import { z } from 'zod';
import { duration, formatDuration, type Milliseconds } from './duration.ts';
import { Failure } from './failure.ts';
import type { Reason } from './outcome.ts';

/** Thresholds: a run is degraded (or down) once a figure reaches its value; an omitted figure is not checked. */
export type Severity = 'degraded' | 'down';

const longestMs = 3_600_000;

export const latencyLimit = duration({ min: 1, max: longestMs });

/** A limit with a default. */
export const latencyLimitOr = (usualMs: Milliseconds) => duration({ min: 1, max: longestMs, default: usualMs });

/** The `degraded` option of a check type whose only figure is how long it took. */
export function degradedByLatency(description: string) {
  return z
    .strictObject({ latency: latencyLimit.optional().meta({ description }) })
    .prefault({})
    .meta({ description: 'Degraded from' });
}

/** @throws {Failure} threshold: `The answer took 412.00 ms (degraded from 400ms).` */
export function assertFast(
  what: string,
  latencyMs: number,
  { degraded: { latency } }: { readonly degraded: { readonly latency?: number | undefined } },
): void {
  assertBelow([[`${what} took`, latencyMs, latency]], 'degraded');
}

/** Times beside their limits, in milliseconds. @throws {Failure} threshold, of the first that reached its limit */
export function assertBelow(
  times: readonly (readonly [what: string, ms: number, limit: number | undefined])[],
  status: Severity,
): void {
  for (const [what, ms, limit = Infinity] of times) {
    if (ms >= limit) throw limitReached(`${what} ${ms.toFixed(2)} ms`, { status, limit: formatDuration(limit) });
  }
}

interface Reached {
  readonly status: Severity;
  /** The limit as people write it: `400ms`. */
  readonly limit: string;
  readonly reason?: Reason;
}

export function limitReached(figure: string, { status, limit, reason = 'threshold' }: Reached): Failure {
  return new Failure(reason, `${figure} (${status} from ${limit}).`, { as: { status } });
}
