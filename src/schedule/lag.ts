import type { Cancel, Clock } from '../core/clock.ts';

/** Above this lag a measured time says more about this process than about the target. */
export const lagLimitMs = 250;

const tickMs = 50;
/** Smaller corrections of the wall clock are normal; a larger step means that the machine slept or the clock was set. */
const sleepLimitMs = 1000;
/** After a sleep the network takes a while to come back: Wi-Fi, DHCP. */
const wakingMs = 5000;

export interface Lag {
  /** `busy`: this process could not run. `asleep`: the wall clock went on while the monotonic clock stood still. */
  readonly kind: 'busy' | 'asleep';
  readonly lagMs: number;
}

/**
 * Detects that this process could not run. A stall is always detected if it exceeds the limit by one tick (50 ms);
 * a shorter one may escape.
 */
export class LagGuard {
  readonly #clock: Clock;
  #tickedAt: number;
  #wallAtTick: number;
  #lastLag: (Lag & { readonly endsAt: number }) | undefined;
  #cancelTick: Cancel;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tickedAt = clock.monotonic();
    this.#wallAtTick = clock.now();
    this.#cancelTick = clock.after(tickMs, () => this.#tick());
  }

  /** The last lag over the limit that ended (its aftermath included) after `startedAt` on the monotonic clock; undefined if none. */
  since(startedAt: number): Lag | undefined {
    // A stall may have ended just now, before the tick's timer ran.
    this.#look();
    return this.#lastLag && this.#lastLag.endsAt > startedAt ? this.#lastLag : undefined;
  }

  stop(): void {
    this.#cancelTick();
  }

  #tick(): void {
    this.#look();
    this.#tickedAt = this.#clock.monotonic();
    this.#wallAtTick = this.#clock.now();
    this.#cancelTick = this.#clock.after(tickMs, () => this.#tick());
  }

  #look(): void {
    const now = this.#clock.monotonic();
    const passedMs = now - this.#tickedAt;
    const asleepMs = this.#clock.now() - this.#wallAtTick - passedMs;
    if (asleepMs > sleepLimitMs) this.#lastLag = { kind: 'asleep', lagMs: asleepMs, endsAt: now + wakingMs };
    else if (passedMs - tickMs > lagLimitMs) this.#lastLag = { kind: 'busy', lagMs: passedMs - tickMs, endsAt: now };
  }
}
