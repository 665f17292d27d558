import type { Outcome, Status } from '../../core/outcome.ts';

export const resolutions = ['minute', 'hour', 'day'] as const;
export type Resolution = (typeof resolutions)[number];

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
export const resolutionMs: Readonly<Record<Resolution, number>> = { minute: 60_000, hour: hourMs, day: dayMs };

/** Summary of a target over a period. Summaries of one task can be added. */
export interface Summary extends Counts {
  /** Epoch milliseconds. */
  readonly start: number;
  /** Of the results that carry one; undefined if none does. */
  readonly latency: Latency | undefined;
}

export type Counts = Readonly<Record<Status, number>>;

export interface Latency {
  readonly count: number;
  readonly sumMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** How many results fell into each bucket, by bucket; see `bucketOf`. */
  readonly histogram: ReadonlyMap<number, number>;
}

/** Bucket b holds latencies from 2^(b/8) to 2^((b+1)/8) milliseconds: neighbours differ by 9 %, so a percentile is exact to 4.5 %. */
const bucketsPerDoubling = 8;
/** A nanosecond; log2 of anything less, or of 0, would be no bucket. */
const leastMs = 1e-6;

export function bucketOf(latencyMs: number): number {
  return Math.floor(Math.log2(Math.max(latencyMs, leastMs)) * bucketsPerDoubling);
}

/** The latency that `share` (0 to 1) of the results did not exceed, to the precision of a bucket. */
export function percentile(latency: Latency, share: number): number {
  let left = Math.max(1, Math.ceil(latency.count * share));
  for (const [bucket, count] of [...latency.histogram].toSorted(([a], [b]) => a - b)) {
    left -= count;
    if (left > 0) continue;
    const middleMs = 2 ** ((bucket + 0.5) / bucketsPerDoubling);
    return Math.min(Math.max(middleMs, latency.minMs), latency.maxMs);
  }
  return latency.maxMs;
}

export function summarize(start: number, outcomes: Iterable<Pick<Outcome, 'status' | 'latencyMs'>>): Summary {
  const counts = { up: 0, degraded: 0, down: 0, unknown: 0 };
  const histogram = new Map<number, number>();
  const latency = { count: 0, sumMs: 0, minMs: Infinity, maxMs: 0, histogram };
  for (const { status, latencyMs } of outcomes) {
    counts[status] += 1;
    if (latencyMs === undefined) continue;
    latency.count += 1;
    latency.sumMs += latencyMs;
    latency.minMs = Math.min(latency.minMs, latencyMs);
    latency.maxMs = Math.max(latency.maxMs, latencyMs);
    const bucket = bucketOf(latencyMs);
    histogram.set(bucket, (histogram.get(bucket) ?? 0) + 1);
  }
  return { start, ...counts, latency: latency.count === 0 ? undefined : latency };
}

/** The summaries of shorter stretches as one that starts at `start`. */
export function mergeSummaries(start: number, summaries: Iterable<Summary>): Summary {
  const counts = { up: 0, degraded: 0, down: 0, unknown: 0 };
  let latency: Latency | undefined;
  for (const summary of summaries) {
    counts.up += summary.up;
    counts.degraded += summary.degraded;
    counts.down += summary.down;
    counts.unknown += summary.unknown;
    if (summary.latency !== undefined) latency = latency ? mergeLatencies(latency, summary.latency) : summary.latency;
  }
  return { start, ...counts, latency };
}

function mergeLatencies(one: Latency, other: Latency): Latency {
  const histogram = new Map(one.histogram);
  for (const [bucket, count] of other.histogram) histogram.set(bucket, (histogram.get(bucket) ?? 0) + count);
  return {
    count: one.count + other.count,
    sumMs: one.sumMs + other.sumMs,
    minMs: Math.min(one.minMs, other.minMs),
    maxMs: Math.max(one.maxMs, other.maxMs),
    histogram,
  };
}
