import type { Milliseconds } from '../duration.ts';
import type { Status } from '../outcome.ts';

/** A confirmed state and since when it was so: of a failure, its first failing run. */
export interface StateSpan {
  readonly since: number;
  readonly state: Status;
}

interface TimeSpan {
  /** Half-open, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** Time in each state. Maintenance is counted apart, whatever the state in it was. */
export interface AvailabilityFigures extends Readonly<Record<`${Status}Ms`, Milliseconds>> {
  readonly maintenanceMs: Milliseconds;
  /** Time up or degraded as a share of the time in which it was known, 0 to 1; undefined if it never was. */
  readonly available: number | undefined;
}

/**
 * Figures of one monitor by time, never by the number of results. `states` are the confirmed ones in the order of their confirmation,
 * with the last one before the span; before the first nothing is known. `maintenance` may overlap.
 */
export function availabilityOf(
  states: readonly StateSpan[],
  { from, to, maintenance = [] }: TimeSpan & { readonly maintenance?: readonly TimeSpan[] },
): AvailabilityFigures {
  const figures = { upMs: 0, degradedMs: 0, downMs: 0, unknownMs: 0, maintenanceMs: 0 };
  const windows = joined(maintenance);
  for (const { state, ...span } of spansOf(states, { from, to })) {
    const inside = windows.reduce((sum, window) => sum + overlapMs(window, span), 0);
    figures.maintenanceMs += inside;
    figures[`${state}Ms`] += span.to - span.from - inside;
  }
  const { upMs, degradedMs, downMs } = figures;
  const known = upMs + degradedMs + downMs;
  return { ...figures, available: known === 0 ? undefined : (upMs + degradedMs) / known };
}

/** Without gaps from `from` to `to`; a failure takes the time since its first failing run from the state before. */
function spansOf(
  states: readonly StateSpan[],
  { from, to }: TimeSpan,
): readonly (TimeSpan & { readonly state: Status })[] {
  const spans: (TimeSpan & { state: Status })[] = [];
  let end = to;
  for (const { since, state } of states.toReversed()) {
    const begin = Math.max(from, since);
    if (begin >= end) continue;
    spans.push({ from: begin, to: end, state });
    end = begin;
  }
  if (end > from) spans.push({ from, to: end, state: 'unknown' });
  return spans.toReversed();
}

/** The same times, each once. */
function joined(spans: readonly TimeSpan[]): readonly TimeSpan[] {
  const found: TimeSpan[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last && span.from <= last.to) found[found.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else if (span.to > span.from) found.push(span);
  }
  return found;
}

function overlapMs(one: TimeSpan, other: TimeSpan): Milliseconds {
  return Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from));
}
