import type { Cancel, Clock, MachineTime } from '../core/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** A clock that a test owns: time passes only when the test says so, and what is due happens in order. */
export class FakeClock implements Clock, MachineTime {
  boot = 'boot-1';
  #monotonicMs = 0;
  #offsetMs: number;
  #asleepMs = 0;
  readonly #turns: number;
  readonly #timers = new Set<Timer>();

  /** `turns`: how many promises in a row what a timer starts may wait for before the next timer. */
  constructor(startMs = Date.UTC(2026, 0, 1), turns = 20) {
    this.#offsetMs = startMs;
    this.#turns = turns;
  }

  now(): number {
    return this.#offsetMs + this.#monotonicMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers wait: none is left when everything has been stopped. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass; each timer fires at its moment, and what it started settles before the next one. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#monotonicMs + durationMs;
    await this.#settle();
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) {
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs);
      this.#timers.delete(next);
      next.callback();
      await this.#settle();
    }
    this.#monotonicMs = untilMs;
  }

  /** Time passes while the process cannot run: nothing fires until the next `advance`. */
  stall(durationMs: number): void {
    this.#monotonicMs += durationMs;
  }

  uptimeMs(): number {
    return this.#monotonicMs + this.#asleepMs;
  }

  /** The machine sleeps: the monotonic clock stands still meanwhile. */
  suspend(durationMs: number): void {
    this.#asleepMs += durationMs;
    this.#offsetMs += durationMs;
  }

  /** The wall clock is set. */
  stepWall(byMs: number): void {
    this.#offsetMs += byMs;
  }

  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.dueMs <= untilMs && timer.dueMs < (first?.dueMs ?? Infinity)) first = timer;
    return first;
  }

  /** Lets promises that are already resolved run their chains. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn < this.#turns; turn++) await Promise.resolve();
  }
}
