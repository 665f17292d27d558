import type { Clock } from '../../core/clock.ts';
import { refilled, type Rate } from '../../core/rate.ts';

/** A token bucket that tells how long to wait for the next token. */
export class Bucket {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #tokens: number;
  #atMs: number;

  constructor(rate: Rate, clock: Pick<Clock, 'monotonic'>) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#atMs = clock.monotonic();
  }

  /** Whole tokens. */
  get left(): number {
    return Math.floor(this.#refill());
  }

  /** 0 if there is a token. */
  get waitMs(): number {
    const missing = 1 - this.#refill();
    return missing <= 0 ? 0 : Math.ceil((missing / this.#rate.perSecond) * 1000);
  }

  take(): void {
    this.#tokens = this.#refill() - 1;
  }

  #refill(): number {
    const now = this.#clock.monotonic();
    this.#tokens = refilled(this.#rate, this.#tokens, now - this.#atMs);
    this.#atMs = now;
    return this.#tokens;
  }
}
