import { ask } from './api.ts';
import type { Voice } from './model.ts';

export const ranges = {
  '1h': { ms: 3_600_000, resolution: 'minute', stepS: 60, slots: 60 },
  '24h': { ms: 86_400_000, resolution: 'minute', stepS: 60, slots: 96 },
  '7d': { ms: 7 * 86_400_000, resolution: 'hour', stepS: 3600, slots: 84 },
  '90d': { ms: 90 * 86_400_000, resolution: 'day', stepS: 86_400, slots: 90 },
} as const;
export type Range = keyof typeof ranges;

interface Summary {
  readonly start: string;
  readonly up: number;
  readonly degraded: number;
  readonly down: number;
  readonly unknown: number;
  readonly absentMs: number;
  readonly latency: { readonly p50Ms: number } | null;
}

/** What a place measured in one part of the range. */
export interface Slot {
  readonly from: number;
  readonly to: number;
  up: number;
  degraded: number;
  down: number;
  unknown: number;
}

export interface History {
  readonly slots: readonly Slot[];
  /** Epoch seconds. */
  readonly times: readonly number[];
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

/** Lines that a person can still tell apart. */
const maxLines = 6;

/** How a monitor was, from all its places. */
export async function historyOf(voices: readonly Voice[], range: Range, signal: AbortSignal): Promise<History> {
  const { ms, resolution, stepS, slots: count } = ranges[range];
  const to = Date.now();
  const from = to - ms;
  const query = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}&resolution=${resolution}`;
  const found = await Promise.all(
    voices.slice(0, maxLines).map(async ({ taskId, agent }) => {
      const path = `/tasks/${taskId}/summaries?${query}`;
      const { summaries } = await ask<{ readonly summaries: readonly Summary[] }>(path, { signal });
      return { name: agent.name, summaries };
    }),
  );
  const slots = emptySlots(from, ms / count, count);
  for (const { summaries } of found) for (const summary of summaries) add(slots, summary);
  // Every step of the range, so that where nothing was measured no line is drawn.
  const firstS = Math.floor(from / 1000 / stepS) * stepS;
  const times = Array.from({ length: Math.ceil(to / 1000 / stepS) - firstS / stepS }, (_, at) => firstS + at * stepS);
  const lines = found.map(({ name, summaries }) => {
    const medians = new Map(summaries.map(({ start, latency }) => [Date.parse(start) / 1000, latency?.p50Ms ?? null]));
    return { name, values: times.map((time) => medians.get(time) ?? null) };
  });
  return { slots, times, lines };
}

function emptySlots(from: number, stepMs: number, count: number): Slot[] {
  return Array.from({ length: count }, (_, at) => {
    const start = from + at * stepMs;
    return { from: start, to: start + stepMs, up: 0, degraded: 0, down: 0, unknown: 0 };
  });
}

function add(slots: readonly Slot[], { start, up, degraded, down, unknown }: Summary): void {
  const [first] = slots;
  if (!first) return;
  const at = Math.floor((Date.parse(start) - first.from) / (first.to - first.from));
  const slot = slots[Math.max(0, at)];
  if (!slot) return;
  slot.up += up;
  slot.degraded += degraded;
  slot.down += down;
  slot.unknown += unknown;
}
