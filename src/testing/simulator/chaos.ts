import type { AgentMachine } from './agent-machine.ts';
import type { Simulation } from './simulation.ts';
import { administration } from './chaos-administration.ts';
import { clocks } from './chaos-clocks.ts';
import { disks } from './chaos-disks.ts';
import { links } from './chaos-links.ts';
import { processes } from './chaos-processes.ts';

/** What a fault may touch. */
export interface Scene {
  readonly simulation: Simulation;
  readonly machine: AgentMachine;
  /** Calls back after a while, unless the trouble is over by then, when everything is mended anyway. */
  later(delayMs: number, callback: () => void): void;
}

/** One kind of fault; returns false where it cannot happen now. */
export type Fault = (scene: Scene) => boolean | void;

/** Every kind of fault, and how often it happens beside the others. */
const kinds: Readonly<Record<string, readonly [weight: number, fault: Fault]>> = {
  ...links,
  ...processes,
  ...disks,
  ...clocks,
  ...administration,
};

export const faultKinds: readonly string[] = Object.keys(kinds);

const targetEveryMs = 40_000;

/** Injects faults one after the other until it is stopped. */
export class Chaos {
  readonly #simulation: Simulation;
  readonly #everyMs: number;
  readonly #kinds: readonly string[];
  #isOver = false;

  constructor(
    simulation: Simulation,
    { everyMs, only = faultKinds }: { readonly everyMs: number; readonly only?: readonly string[] | undefined },
  ) {
    this.#simulation = simulation;
    this.#everyMs = everyMs;
    this.#kinds = only.flatMap((kind) => Array.from({ length: kinds[kind]?.[0] ?? 0 }, () => kind));
    this.#next();
    this.#changeTarget();
  }

  stop(): void {
    this.#isOver = true;
  }

  #next(): void {
    const { world } = this.#simulation;
    world.after(-Math.log(1 - world.random()) * this.#everyMs, () => {
      if (this.#isOver) return;
      this.#inject();
      this.#next();
    });
  }

  #inject(): void {
    const { world, machines } = this.#simulation;
    const kind = world.oneOf(this.#kinds);
    const machine = world.oneOf(machines);
    if (kind === undefined || !machine) return;
    const later = (delayMs: number, callback: () => void): void =>
      void world.after(delayMs, () => this.#isOver || callback());
    if (kinds[kind]?.[1]({ simulation: this.#simulation, machine, later }) !== false)
      world.countFault(kind, machine.name);
  }

  /** Hosts go down and come up: no fault, but what there is to measure. */
  #changeTarget(): void {
    const { world, targets, server } = this.#simulation;
    world.after(world.between(0, 2 * targetEveryMs), () => {
      const host = world.oneOf(server.monitors)?.target ?? '';
      targets.setDown(host, !targets.isDown(host) && world.random() < 0.5);
      if (!this.#isOver) this.#changeTarget();
    });
  }
}
