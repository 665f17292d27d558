import type { Result } from '../core/monitor.ts';
import { statuses, type Status } from '../core/outcome.ts';
import { styleOf, type Paint } from './paint.ts';
import { printable } from '../core/printable.ts';
import { padTo } from './text.ts';
import { counted, formatMs } from './units.ts';

interface Tally {
  readonly counts: Record<Status, number>;
  latencies: number;
  sumMs: number;
  minMs: number;
  maxMs: number;
}

/** Counts the results of each monitor while a configuration runs. */
export class RunSummary {
  readonly #tallies = new Map<string, Tally>();

  add({ monitor, status, latencyMs }: Result): void {
    let tally = this.#tallies.get(monitor.name);
    if (!tally) {
      tally = {
        counts: { up: 0, degraded: 0, down: 0, unknown: 0 },
        latencies: 0,
        sumMs: 0,
        minMs: Infinity,
        maxMs: 0,
      };
      this.#tallies.set(monitor.name, tally);
    }
    tally.counts[status]++;
    if (latencyMs === undefined) return;
    tally.latencies++;
    tally.sumMs += latencyMs;
    tally.minMs = Math.min(tally.minMs, latencyMs);
    tally.maxMs = Math.max(tally.maxMs, latencyMs);
  }

  /** One line a monitor: `www.example.org http   12 results: 11 up, 1 down; latency min 9.1 ms, avg 11 ms, max 14.2 ms` */
  format(paint: Paint): readonly string[] {
    const tallies = Array.from(this.#tallies, ([name, tally]) => [printable(name), tally] as const);
    const width = Math.min(40, Math.max(0, ...tallies.map(([name]) => name.length)));
    return tallies
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, tally]) => `${padTo(name, width)}  ${countsOf(tally, paint)}${latencyOf(tally)}`);
  }
}

function countsOf({ counts }: Tally, paint: Paint): string {
  const seen = statuses.filter((status) => counts[status] > 0);
  const total = seen.reduce((sum, status) => sum + counts[status], 0);
  const parts = seen.map((status) => paint(styleOf[status], `${counts[status]} ${status}`));
  return `${counted(total, 'result')}: ${parts.join(', ')}`;
}

function latencyOf({ latencies, sumMs, minMs, maxMs }: Tally): string {
  if (latencies === 0) return '';
  return `; latency min ${formatMs(minMs)}, avg ${formatMs(sumMs / latencies)}, max ${formatMs(maxMs)}`;
}
