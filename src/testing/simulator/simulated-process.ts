import type { Cancel, Clock, MachineTime } from '../../core/clock.ts';
import type { World } from './world.ts';

const longestLateMs = 0.5;

/** The clocks of one machine; they go on while no process runs. */
export class MachineClock {
  /** How fast the wall clock goes, parts per million too fast. */
  driftPpm = 0;
  readonly #world: World;
  #wallMs: number;
  #wallAtMs = 0;
  #boots = 0;
  #bootedMs = 0;
  #sleptMs = 0;
  #beforeDisturbed: () => void = () => {};

  constructor(world: World, startsAt: number) {
    this.#world = world;
    this.#wallMs = startsAt;
  }

  /** Called before this clock is set or its machine has slept: by one at a time, the process that runs. */
  onDisturbed(callback: () => void): void {
    this.#beforeDisturbed = callback;
  }

  /** Epoch milliseconds, as this machine has them now or had them a moment ago. */
  now(atMs = this.#world.nowMs): number {
    const passedMs = atMs - this.#wallAtMs;
    return this.#wallMs + passedMs * (1 + this.driftPpm / 1e6);
  }

  /** Milliseconds since the boot that do not pass while the machine sleeps. */
  monotonic(atMs = this.#world.nowMs): number {
    return atMs - this.#bootedMs - this.#sleptMs;
  }

  get time(): MachineTime {
    const boot = `boot-${this.#boots}`;
    return { boot, uptimeMs: () => this.#world.nowMs - this.#bootedMs };
  }

  /** The wall clock is set. */
  set(toMs: number): void {
    this.#beforeDisturbed();
    this.#wallMs = toMs;
    this.#wallAtMs = this.#world.nowMs;
  }

  drift(ppm: number): void {
    this.set(this.now());
    this.driftPpm = ppm;
  }

  reboot(): void {
    this.#boots++;
    this.#bootedMs = this.#world.nowMs;
    this.#sleptMs = 0;
  }

  slept(durationMs: number): void {
    this.#beforeDisturbed();
    this.#sleptMs += durationMs;
  }
}

/** One life of a process. Dead, it may still compute, but reaches nothing any more. */
export class SimulatedProcess {
  readonly world: World;
  readonly name: string;
  isAlive = true;
  /** When it went on after it was stopped last. */
  resumedMs = 0;
  readonly #onEnd: (() => void)[] = [];
  #beforeDisturbed: () => void = () => {};
  readonly #held: (() => void)[] = [];
  #isPaused = false;
  #pausedAtMs = 0;
  #sleptMs = 0;
  #diesAfter: number | undefined;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** How long it has been stopped. */
  get pausedForMs(): number {
    return this.#isPaused ? this.world.nowMs - this.#pausedAtMs : 0;
  }

  /** Called once when the process ends, however it ends. */
  onEnd(callback: () => void): void {
    if (this.isAlive) this.#onEnd.push(callback);
    else callback();
  }

  /** Called before the process is stopped. */
  onDisturbed(callback: () => void): void {
    this.#beforeDisturbed = callback;
  }

  /** To be asked before each effect outside of the process: false if it is dead, or dies right here. */
  effect(): boolean {
    if (!this.isAlive) return false;
    if (this.#diesAfter === undefined || this.#diesAfter-- > 0) return true;
    this.kill();
    return false;
  }

  /** The process dies in the middle of what it does: after so many more effects. */
  dieAfter(effects: number): void {
    this.#diesAfter = effects;
  }

  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.world.note(`${this.name} ends`);
    for (const callback of this.#onEnd) callback();
  }

  /** SIGSTOP: nothing runs, and time passes. */
  pause(): void {
    if (this.#isPaused) return;
    this.#beforeDisturbed();
    this.#isPaused = true;
    this.#pausedAtMs = this.world.nowMs;
  }

  /** `wasAsleep`: the machine slept, so that its timers have their whole time still before them. */
  resume({ wasAsleep = false } = {}): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.resumedMs = this.world.nowMs;
    if (wasAsleep) this.#sleptMs += this.world.nowMs - this.#pausedAtMs;
    for (const callback of this.#held.splice(0)) this.world.after(0, () => this.deliver(callback));
  }

  /** Something from outside: it waits while the process is stopped, and comes to nothing when it is dead. */
  deliver(callback: () => void): void {
    if (!this.isAlive) return;
    if (this.#isPaused) this.#held.push(callback);
    else callback();
  }

  clock(machine: MachineClock): Clock {
    return {
      now: () => machine.now(),
      monotonic: () => machine.monotonic(),
      after: (delayMs, callback) => this.#after(Math.max(0, delayMs), callback),
    };
  }

  #after(delayMs: number, callback: () => void): Cancel {
    if (!this.isAlive) return () => {};
    const sleptMs = this.#sleptMs;
    const dueMs = this.world.nowMs + delayMs;
    let isCancelled = false;
    const fire = (): void => {
      if (isCancelled) return;
      // The time that the machine slept does not count.
      const owedMs = dueMs + this.#sleptMs - sleptMs - this.world.nowMs;
      if (this.#sleptMs > sleptMs && owedMs > 0) cancel = this.#after(owedMs, callback);
      else callback();
    };
    // No timer is on time to the microsecond, so that no two runs take equally long.
    const lateMs = delayMs > 0 ? this.world.random() * longestLateMs : 0;
    let cancel = this.world.after(delayMs + lateMs, () => this.deliver(fire));
    return () => {
      isCancelled = true;
      cancel();
    };
  }
}
