import { z } from 'zod';
import type { Measurement } from './check.ts';
import { Failure } from './failure.ts';

const maxOddities = 20;

/** Option of a check: no oddity is tolerated. */
export const strictOption = z
  .boolean()
  .default(false)
  .meta({ description: 'Down also for what breaks a standard although clients tolerate it (oddities)' });

/** What a peer did that breaks a standard and that clients tolerate: short sentences in `detail.oddities`, each once. */
export class Oddities {
  readonly #measurement: Pick<Measurement, 'detail'>;

  constructor(measurement: Pick<Measurement, 'detail'>) {
    this.#measurement = measurement;
  }

  get texts(): readonly string[] {
    const { oddities } = this.#measurement.detail;
    // Only `note` writes them.
    return Array.isArray(oddities) ? (oddities as readonly string[]) : [];
  }

  note(text: string): void {
    const { texts } = this;
    if (texts.length < maxOddities && !texts.includes(text)) this.#measurement.detail['oddities'] = [...texts, text];
  }

  /** @throws {Failure} protocol, when `strict` and there is one */
  assertNone({ strict }: { readonly strict: boolean }): void {
    if (strict && this.texts.length > 0) throw new Failure('protocol', `${this.texts.join(' ')} (strict)`);
  }
}
