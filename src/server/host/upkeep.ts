import type { Cancel, Clock } from '../../core/clock.ts';
import type { ClassOfData } from '../../core/record.ts';
import { sensorTypes } from '../../sensors/registry.ts';
import type { RecordsBefore } from '../store/evidence.ts';
import type { Retention as StoreRetention } from '../store/store.ts';

export interface Retention extends Readonly<Record<ClassOfData, number>> {
  readonly results: number;
  readonly hours: number;
  readonly days: number;
}

interface UpkeepStore {
  seal(before: number): Promise<number>;
  retain(retention: StoreRetention): Promise<void>;
}

interface UpkeepParts {
  readonly clock: Clock;
  readonly store: UpkeepStore;
  /** What sensors wrote, as files for people. */
  readonly clientLogs: { drop(before: RecordsBefore): Promise<void> };
  /** How long each class of data is kept, milliseconds; everything for ever if absent. */
  readonly retention: Retention | undefined;
  readonly say: (text: string) => void;
  /** Told after each round why it failed, or undefined. */
  readonly health: { noteUpkeep(fault: string | undefined): void };
}

const intervalMs = 600_000;
/** Results of an hour that come this long after its end still find it open, and need no packing again. */
const graceMs = 300_000;

/** Keeps the store small and sound: packs the hours that have ended, drops what is too old. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  #cancel: Cancel = () => {};
  #isStopped = false;

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
    const { clock, store, clientLogs, retention } = this.#parts;
    const now = clock.now();
    await store.seal(now - graceMs);
    if (!retention) return;
    const { results, hours, days } = retention;
    const recordsBefore = Object.fromEntries(
      sensorTypes.map(({ type, classOfData }) => [type, now - retention[classOfData]]),
    );
    await store.retain({
      resultsBefore: now - results,
      hoursBefore: now - hours,
      daysBefore: now - days,
      recordsBefore,
    });
    await clientLogs.drop(recordsBefore);
  }
}
