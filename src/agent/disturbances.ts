import { agentEnds, type BlindCause, type SensorRecord } from '../core/record.ts';
import type { RecordBody } from '../records/chain.ts';
import type { LineContent } from '../records/record-line.ts';

/** When something was seen: wall clock, monotonic clock and boot id. */
export type Moment = Pick<RecordBody, 'at' | 'monotonicMs' | 'boot'>;

/** One reading of three clocks, in milliseconds. */
export interface Clocks {
  readonly wallMs: number;
  /** Since the boot; stands still while the machine sleeps. */
  readonly monotonicMs: number;
  /** Since the boot, also while it sleeps. */
  readonly uptimeMs: number;
}

export const lookEveryMs = 2000;
/** Clocks are read one after the other, and some have steps of 10 ms; by more than this they do not differ by chance. */
const jumpMs = 2000;
/** A busy machine runs timers late; by more than this, people want to know. */
const lateMs = 5000;

/**
 * The time since the last line of an earlier run, in which nobody watched. Undefined if nobody was to: watching had ended by order, or
 * the agent was stopped and has none now.
 */
export function blindSince(
  { record, stamp }: LineContent,
  now: Moment & { readonly isOrdered: boolean },
): SensorRecord | undefined {
  const isStopped = record.event === 'sensor-stopped';
  if (isStopped && (record.message !== agentEnds || !now.isOrdered)) return undefined;
  const isSameBoot = stamp.boot === now.boot;
  const seconds = Math.max(0, isSameBoot ? now.monotonicMs - stamp.monotonicMs : now.at - stamp.at) / 1000;
  const cause = isStopped ? (isSameBoot ? 'stopped' : 'restarted') : isSameBoot ? 'killed' : 'lost-power';
  return { event: 'not-watching', cause, from: stamp.at, seconds };
}

/** How far the wall clock was set between two looks. A clock that is only made to run slower or faster takes all clocks with it. */
function stepBetween(before: Clocks, now: Clocks): number {
  return Math.round(now.wallMs - before.wallMs - (now.uptimeMs - before.uptimeMs));
}

/** Small steps of the wall clock, none of which is a disturbance by itself: together they may be hours. */
export class SmallSteps {
  #sumMs = 0;

  /** A record once they come to more than what is told at once. */
  add(before: Clocks, now: Clocks): readonly SensorRecord[] {
    const byMs = stepBetween(before, now);
    if (Math.abs(byMs) > jumpMs) return [];
    this.#sumMs += byMs;
    if (Math.abs(this.#sumMs) <= jumpMs) return [];
    const record: SensorRecord = { event: 'clock-jump', byMs: this.#sumMs };
    this.#sumMs = 0;
    return [record];
  }
}

/** What the clocks say of the time between two looks, which are `lookEveryMs` apart in an agent that runs. */
export function disturbances(before: Clocks, now: Clocks): readonly SensorRecord[] {
  const passed = (clock: keyof Clocks): number => now[clock] - before[clock];
  const [ranMs, asleepMs] = [passed('monotonicMs'), passed('uptimeMs') - passed('monotonicMs')];
  const byMs = stepBetween(before, now);
  const blind = (cause: BlindCause, ms: number): SensorRecord => ({
    event: 'not-watching',
    cause,
    from: before.wallMs,
    seconds: ms / 1000,
  });
  return [
    ...(asleepMs > jumpMs ? [blind('asleep', asleepMs)] : []),
    ...(ranMs > lookEveryMs + lateMs ? [blind('paused', ranMs)] : []),
    ...(Math.abs(byMs) > jumpMs ? [{ event: 'clock-jump', byMs } as const] : []),
  ];
}
