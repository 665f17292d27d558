import type { Clock } from '../../core/clock.ts';
import { refilled, type Rate } from '../../core/rate.ts';

/** A token bucket: it fills by the second, and what is taken beyond it must wait. */
export class Quota {
  readonly #clock: Clock;
  readonly #rate: Rate;
  #left: number;
  #filledMs: number;

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#left = rate.burst;
    this.#filledMs = clock.monotonic();
  }

  /** Takes `amount`, and says how long to wait before more may be taken; 0 while there is some left. */
  take(amount: number): number {
    const nowMs = this.#clock.monotonic();
    this.#left = refilled(this.#rate, this.#left, nowMs - this.#filledMs) - amount;
    this.#filledMs = nowMs;
    return Math.max(0, (-this.#left / this.#rate.perSecond) * 1000);
  }
}
