import type { Monitor, Result } from '../core/monitor.ts';
import { failed } from '../core/outcome.ts';

interface Missed {
  /** The first slot that was missed. */
  readonly slot: number;
  /** How many in a row. */
  readonly count: number;
  readonly message: string;
}

/** The result for slots in which no run could start: unknown, with the reason. */
export function missedResult(monitor: Monitor, { slot, count, message }: Missed): Result {
  const lastSlot = slot + (count - 1) * monitor.intervalMs;
  const detail = {
    missedRuns: count,
    firstSlot: new Date(slot).toISOString(),
    lastSlot: new Date(lastSlot).toISOString(),
  };
  return { ...failed('missed', message, { detail }), monitor, scheduledAt: slot, startedAt: slot, durationMs: 0 };
}
