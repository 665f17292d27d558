import { duration } from './chaos-links.ts';
import type { Fault, Scene } from './chaos.ts';

const hourMs = 3_600_000;
const longAgoMs = Date.UTC(1970, 0, 1, 5);
const farOffMs = Date.UTC(2099, 5, 1);

/** The agent's clock is set to what `wrong` gives of the true time, and right again after a while. */
function settingAgent(wrong: (trueMs: number, scene: Scene) => number): Fault {
  return (scene) => {
    const { simulation, machine } = scene;
    simulation.setClock(machine, wrong(simulation.trueMs(), scene));
    scene.later(duration(scene, 1_200_000), () => simulation.setClock(machine, simulation.trueMs()));
  };
}

export const clocks: Readonly<Record<string, readonly [number, Fault]>> = {
  'agent-clock-step': [3, settingAgent((now, { simulation: { world } }) => now + world.between(-hourMs, hourMs))],
  'agent-clock-1970': [1, settingAgent((now) => longAgoMs + (now % hourMs))],
  'agent-clock-2099': [1, settingAgent((now) => farOffMs + (now % hourMs))],
  'server-clock-2090': [
    1,
    (scene) => {
      const { simulation } = scene;
      simulation.setServerClock(Date.UTC(2090, 2, 1) + simulation.world.between(0, hourMs));
      scene.later(duration(scene, 1_200_000), () => simulation.setServerClock(simulation.trueMs()));
    },
  ],
  'agent-clock-drift': [
    2,
    ({ machine, simulation: { world } }) => {
      machine.clock.drift(world.between(-300, 300));
    },
  ],
  'server-clock-step': [
    2,
    (scene) => {
      const { simulation } = scene;
      simulation.setServerClock(simulation.trueMs() + simulation.world.between(-hourMs, hourMs));
      scene.later(duration(scene, 1_200_000), () => simulation.setServerClock(simulation.trueMs()));
    },
  ],
};
