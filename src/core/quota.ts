import type { Clock } from './clock.ts';
import { refilled, type Rate } from './rate.ts';

/** A token bucket: it fills by the second, and what is taken beyond it must wait. */
export class Quota {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #rate: Rate;
  #left: number;
  #filledMs: number;

  constructor(clock: Pick<Clock, 'monotonic'>, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#left = rate.burst;
    this.#filledMs = clock.monotonic();
  }

  /** Whole tokens that are left. */
  get left(): number {
    return Math.floor(this.#refill());
  }

  /** How long until there is a whole token; 0 if there is one. */
  get waitMs(): number {
    const missing = 1 - this.#refill();
    return missing <= 0 ? 0 : Math.ceil((missing / this.#rate.perSecond) * 1000);
  }

  /** Takes `amount`, and says how long to wait before more may be taken; 0 while there is some left. */
  take(amount: number): number {
    this.#left = this.#refill() - amount;
    return Math.max(0, (-this.#left / this.#rate.perSecond) * 1000);
  }

  #refill(): number {
    const nowMs = this.#clock.monotonic();
    this.#left = refilled(this.#rate, this.#left, nowMs - this.#filledMs);
    this.#filledMs = nowMs;
    return this.#left;
  }
}
