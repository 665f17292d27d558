import type { Cancel, Clock } from '../../core/clock.ts';

/** Calls take at most this part of the time, however often they are asked for. */
const share = 0.1;

/** Makes a call whenever it is asked for: at once, or a little later if the calls before took long. */
export class PacedCalls implements Disposable {
  readonly #clock: Clock;
  readonly #call: () => void;
  #cancel: Cancel = () => {};
  #noEarlierMs = -Infinity;

  constructor(clock: Clock, call: () => void) {
    this.#clock = clock;
    this.#call = call;
  }

  ask(): void {
    const startMs = this.#clock.monotonic();
    this.#cancel();
    if (startMs < this.#noEarlierMs) {
      this.#cancel = this.#clock.after(this.#noEarlierMs - startMs, () => this.ask());
      return;
    }
    this.#call();
    const endMs = this.#clock.monotonic();
    this.#noEarlierMs = endMs + (endMs - startMs) / share;
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}
