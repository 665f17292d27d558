import type { Cancel, Clock } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import type { ClassOfData } from '../../core/record.ts';
import { sensorTypes } from '../../sensors/registry.ts';
import type { RecordsBefore } from '../store/evidence.ts';
import type { Dropped, Maintenance } from '../store/store.ts';

export interface Retention extends Readonly<Record<ClassOfData, number>> {
  readonly results: number;
  readonly hours: number;
  readonly days: number;
}

type UpkeepStore = Pick<Maintenance, 'decidedAt' | 'seal' | 'retain'>;

export interface UpkeepParts {
  readonly clock: Clock;
  readonly store: UpkeepStore;
  /** What sensors wrote, as files for people. */
  readonly clientLogs: { drop(before: RecordsBefore): Promise<void> };
  /** How long each class of data is kept, milliseconds; everything for ever if absent. */
  readonly retention: Retention | undefined;
  /** Ids of every monitor that there is. */
  readonly monitorIds: () => readonly string[];
  /** There is nothing any more of these tasks and agents. */
  readonly onDropped: (dropped: Dropped) => void;
  /** Whether another machine says that this one's clock is right: an agent elsewhere whose clock agrees. */
  readonly isClockConfirmed: () => boolean;
  /** The administrator says that the clock is right, whatever it said when the server last ran. */
  readonly acceptsClock: boolean;
  readonly say: (text: string) => void;
  /** Told after each round why it failed, or undefined. */
  readonly health: { noteUpkeep(fault: string | undefined): void };
}

const intervalMs = 600_000;
/** Results of an hour that come this long after its end still find it open, and need no packing again. */
const graceMs = 300_000;
/** Clocks are corrected by as much while they run. */
const maxStepMs = 60_000;

/** Keeps the store small and sound: packs the hours that have ended, drops what is too old. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  #cancel: Cancel = () => {};
  #isStopped = false;
  /** The time by which the last round decided, and when that was by the monotonic clock. */
  #decided: { readonly at: number; readonly ms: number } | undefined;
  #hasToldOfClock = false;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#isStopped) return;
    void this.#round().finally(() => {
      if (!this.#isStopped) this.#cancel = this.#parts.clock.after(intervalMs, () => this.start());
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  async #round(): Promise<void> {
    const { health, say } = this.#parts;
    try {
      await this.#tidy();
      health.noteUpkeep(undefined);
    } catch (error) {
      if (this.#isStopped) return;
      const { message } = error as Error;
      health.noteUpkeep(message);
      say(`The store could not be tidied and is tried again in ${intervalMs / 60_000} minutes: ${message}`);
    }
  }

  async #tidy(): Promise<void> {
    const { clock, store, clientLogs, retention, monitorIds, onDropped } = this.#parts;
    await store.seal(clock.now() - graceMs);
    if (!retention) return;
    const now = await this.#trustedNow();
    const { results, hours, days } = retention;
    const recordsBefore = Object.fromEntries(
      sensorTypes.map(({ type, classOfData }) => [type, now - retention[classOfData]]),
    );
    const dropped = await store.retain({
      decidedAt: now,
      resultsBefore: now - results,
      hoursBefore: now - hours,
      daysBefore: now - days,
      recordsBefore,
      monitorIds: monitorIds(),
    });
    onDropped(dropped);
    await clientLogs.drop(recordsBefore);
    this.#decided = { at: now, ms: clock.monotonic() };
  }

  /**
   * The time by which data is old. It goes on as the monotonic clock does: a wall clock that is suddenly years ahead would delete
   * all there is, for good. A step is believed when another machine agrees with it or the administrator says so; until then data
   * is kept longer than it was asked for.
   */
  async #trustedNow(): Promise<number> {
    const { clock, store, isClockConfirmed, acceptsClock, say } = this.#parts;
    const now = clock.now();
    const before = this.#decided ?? (await this.#decidedBefore(store));
    if (before === undefined || acceptsClock) return now;
    const expected = before.at + Math.max(0, clock.monotonic() - before.ms);
    const stepMs = now - expected;
    if (stepMs <= maxStepMs || isClockConfirmed()) {
      this.#hasToldOfClock = false;
      return Math.max(now, before.at);
    }
    if (!this.#hasToldOfClock) {
      const step = formatDuration(Math.round(stepMs / 60_000) * 60_000);
      const next =
        'if it is right, start the server with --accept-clock; an agent on another machine whose clock agrees does as well';
      say(`Nothing is deleted by the clock of this machine, which is ${step} later than expected: ${next}.`);
    }
    this.#hasToldOfClock = true;
    return expected;
  }

  async #decidedBefore(store: UpkeepStore): Promise<{ readonly at: number; readonly ms: number } | undefined> {
    const at = await store.decidedAt();
    return at === undefined ? undefined : { at, ms: this.#parts.clock.monotonic() };
  }
}
