import type { Fault, Scene } from './chaos.ts';
import type { SimulatedLink, Way } from './simulated-link.ts';

/** Mostly seconds, sometimes minutes. */
export function duration({ simulation: { world } }: Scene, longestMs: number): number {
  return 500 + world.random() ** 3 * longestMs;
}

function cutting(ways: readonly Way[]): Fault {
  return (scene) => {
    const { link } = scene.machine;
    link.cut(ways);
    scene.later(duration(scene, 600_000), () => link.heal());
  };
}

function changing(change: (link: SimulatedLink, scene: Scene) => void): Fault {
  return (scene) => {
    const { link } = scene.machine;
    change(link, scene);
    scene.later(duration(scene, 120_000), () => link.heal());
  };
}

export const links: Readonly<Record<string, readonly [number, Fault]>> = {
  'link-cut': [4, cutting(['up', 'down'])],
  'link-cut-to-server': [3, cutting(['up'])],
  'link-cut-to-agent': [3, cutting(['down'])],
  'link-delay': [3, changing((link, { simulation: { world } }) => (link.delayMs = world.between(100, 4000)))],
  'link-reorder': [3, changing((link, { simulation: { world } }) => (link.jitterMs = world.between(100, 3000)))],
  'link-slow': [3, changing((link, { simulation: { world } }) => (link.bytesPerMs = world.between(0.2, 10)))],
  'half-open': [
    3,
    ({ machine }) => {
      for (const line of machine.lines) line.forget();
      return machine.lines.length > 0;
    },
  ],
  'connection-reset': [
    4,
    ({ machine }) => {
      for (const line of machine.lines) line.breakOff();
      return machine.lines.length > 0;
    },
  ],
};
