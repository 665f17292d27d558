import type { World } from './world.ts';

export type Way = 'up' | 'down';

/** The way between one agent's machine and the server's: `up` leads to the server. */
export class SimulatedLink {
  readonly world: World;
  /** Nothing gets through this way; what was sent comes late if the way is free again in time. */
  readonly isCut: Record<Way, boolean> = { up: false, down: false };
  delayMs = 5;
  /** Each packet takes up to this much longer, so that two connections overtake each other. */
  jitterMs = 2;
  bytesPerMs = Infinity;
  /** What an agent that lies sends instead of a frame. */
  lie: ((frame: string) => readonly string[]) | undefined;
  #cutAtMs = 0;
  readonly #waiting = new Set<() => void>();

  constructor(world: World) {
    this.world = world;
  }

  /** How long nothing has got to the server. */
  get cutForMs(): number {
    return this.isCut.up ? this.world.nowMs - this.#cutAtMs : 0;
  }

  /** How long a packet is on its way now. */
  latencyMs(): number {
    return this.delayMs + this.world.random() * this.jitterMs;
  }

  cut(ways: readonly Way[]): void {
    if (ways.includes('up') && !this.isCut.up) this.#cutAtMs = this.world.nowMs;
    for (const way of ways) this.isCut[way] = true;
  }

  /** Everything is as it should be; what waited is sent again soon. */
  heal(): void {
    this.isCut.up = false;
    this.isCut.down = false;
    this.delayMs = 5;
    this.jitterMs = 2;
    this.bytesPerMs = Infinity;
    this.lie = undefined;
    for (const callback of this.#waiting) this.world.after(this.world.between(50, 1500), callback);
    this.#waiting.clear();
  }

  whenHealed(callback: () => void): void {
    this.#waiting.add(callback);
  }
}
