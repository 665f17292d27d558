import { statfsSync } from 'node:fs';
import type { Cancel, Clock } from '../../core/clock.ts';
import type { Say } from '../../core/say.ts';
import { formatQuantity } from '../../terminal/units.ts';

interface WatchParts {
  readonly clock: Clock;
  readonly say: Say;
  /** Free bytes for this user, and all bytes, of the disk of the data folder. */
  readonly space: () => { readonly freeBytes: number; readonly totalBytes: number };
}

const lookIntervalMs = 60_000;
/** Said once at each, in percent, so that there is time to act before results are no longer kept. */
const steps = [10, 5, 2] as const;

/** Warns of a disk before it is full. */
export class DiskWatch {
  readonly #parts: WatchParts;
  /** The lowest step that was told; 100 while there is room. */
  #told = 100;
  #cancel: Cancel = () => {};

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#look();
    this.#cancel = this.#parts.clock.after(lookIntervalMs, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const { say, space } = this.#parts;
    const { freeBytes, totalBytes } = space();
    const percent = (100 * freeBytes) / totalBytes;
    const step = steps.findLast((limit) => percent < limit) ?? 100;
    if (step === this.#told || (step === 100 && percent < steps[0] + 1)) return;
    const isWorse = step < this.#told;
    this.#told = step;
    const free = `${formatQuantity(freeBytes, 'bytes')} (${percent.toFixed(1)} %) of the disk of the data folder are free`;
    const fields = { freeBytes, totalBytes };
    if (step === 100) say(`There is room again: ${free}.`, { event: 'disk-room', fields });
    else if (isWorse)
      say(
        `The disk is filling up: ${free}. When it is full, results wait in the agents; make room or shorten retention.`,
        {
          event: 'disk-low',
          level: 'warning',
          fields,
        },
      );
  }
}

/** Of the disk that a folder is on. */
export function diskSpace(folder: string): { readonly freeBytes: number; readonly totalBytes: number } {
  const { bsize, bavail, blocks } = statfsSync(folder);
  return { freeBytes: bsize * bavail, totalBytes: bsize * blocks };
}
