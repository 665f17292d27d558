import { duration } from './chaos-links.ts';
import type { Fault, Scene } from './chaos.ts';

/** An agent's process ends this way, and starts again after a while. */
function ending(end: (scene: Scene) => void): Fault {
  return (scene) => {
    const { machine } = scene;
    if (!machine.isRunning) return false;
    end(scene);
    scene.later(duration(scene, 240_000), () => {
      machine.kill();
      machine.boot();
    });
    return true;
  };
}

function endingServer(end: (scene: Scene) => void): Fault {
  return (scene) => {
    const { server } = scene.simulation;
    if (!server.isRunning) return false;
    end(scene);
    scene.later(duration(scene, 60_000), () => {
      server.running?.kill();
      server.boot();
    });
    return true;
  };
}

/** The agent's process is stopped, or its machine sleeps. */
function pausing(wasAsleep: boolean): Fault {
  return (scene) => {
    const { life } = scene.machine;
    if (!life?.process.isAlive || life.process.isPaused) return false;
    const pauseMs = duration(scene, 300_000);
    life.process.pause();
    scene.later(pauseMs, () => scene.machine.resume({ wasAsleep }));
    return true;
  };
}

export const processes: Readonly<Record<string, readonly [number, Fault]>> = {
  'agent-kill': [4, ending(({ machine }) => machine.kill())],
  'agent-dies-anywhere': [
    5,
    ending(({ machine, simulation: { world } }) => machine.life?.process.dieAfter(world.pick(300))),
  ],
  'agent-power-cut': [4, ending(({ machine }) => machine.powerCut())],
  'agent-stop': [3, ending(({ machine }) => void machine.stop())],
  'agent-pause': [3, pausing(false)],
  'agent-sleep': [3, pausing(true)],
  'server-kill': [2, endingServer(({ simulation: { server } }) => server.running?.kill())],
  'server-dies-anywhere': [
    4,
    endingServer(({ simulation: { server, world } }) => server.running?.dieAfter(world.pick(600))),
  ],
  'server-power-cut': [2, endingServer(({ simulation: { server } }) => server.powerCut())],
  'server-stop': [2, endingServer(({ simulation: { server } }) => void server.stop())],
  'server-pause': [
    2,
    (scene) => {
      const process = scene.simulation.server.running;
      if (!process?.isAlive || process.isPaused) return false;
      process.pause();
      scene.later(duration(scene, 60_000), () => process.resume());
      return true;
    },
  ],
};
