import type { Cancel, Clock } from '../../core/clock.ts';
import type { MachineClock, SimulatedProcess } from './simulated-process.ts';

interface Tick {
  readonly delayMs: number;
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * The clock of something that only looks at the time, again and again: twenty times a second, for hours in which nothing happens.
 * What is due is made up for when the time is asked for, and before the process or its clocks are disturbed: of all ticks that
 * are due only the first and the last, because those between them see nothing that these do not.
 */
export class LazyTicks implements Clock {
  readonly #process: SimulatedProcess;
  readonly #machine: MachineClock;
  #next: Tick | undefined;
  /** The moment of the tick that is made up for. */
  #atMs: number | undefined;

  constructor(process: SimulatedProcess, machine: MachineClock) {
    this.#process = process;
    this.#machine = machine;
    process.onDisturbed(() => this.#makeUp());
    machine.onDisturbed(() => this.#makeUp());
  }

  now(): number {
    this.#makeUp();
    return this.#machine.now(this.#atMs);
  }

  monotonic(): number {
    this.#makeUp();
    return this.#machine.monotonic(this.#atMs);
  }

  after(delayMs: number, callback: () => void): Cancel {
    const tick = { delayMs, dueMs: (this.#atMs ?? this.#process.world.nowMs) + delayMs, callback };
    this.#next = tick;
    return () => {
      if (this.#next === tick) this.#next = undefined;
    };
  }

  #makeUp(): void {
    if (this.#atMs !== undefined || this.#process.isPaused || !this.#process.isAlive) return;
    this.#tick(({ dueMs }) => Math.max(dueMs, this.#process.resumedMs));
    this.#tick(({ dueMs, delayMs }) => dueMs + Math.floor((this.#process.world.nowMs - dueMs) / delayMs) * delayMs);
  }

  #tick(momentOf: (tick: Tick) => number): void {
    const tick = this.#next;
    if (!tick || tick.dueMs > this.#process.world.nowMs) return;
    this.#next = undefined;
    this.#atMs = momentOf(tick);
    tick.callback();
    this.#atMs = undefined;
  }
}
