import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { Fault, Scene } from './chaos.ts';
import { duration } from './chaos-links.ts';
import { monitorNumber } from './monitors.ts';

/** Some monitor is changed, taken away, or added. */
function reload({ simulation }: Scene): boolean {
  const { world, server } = simulation;
  if (!server.server) return false;
  const monitors = [...server.monitors];
  const at = world.pick(monitors.length);
  const monitor = monitors[at];
  if (!monitor) return false;
  const intervalMs = world.oneOf([20_000, 30_000, 60_000]) ?? 60_000;
  const choice = world.pick(3);
  if (choice === 0) monitors[at] = { ...monitor, intervalMs };
  else if (choice === 1 && monitors.length > 15) monitors.splice(at, 1);
  else monitors.push(monitorNumber(world.nextNumber(), intervalMs));
  simulation.administrator.reload(monitors);
  return true;
}

/** Somebody saves the file again and again. */
function storm(scene: Scene): boolean {
  if (!scene.simulation.server.server) return false;
  for (let count = 0; count < 20; count++)
    scene.later(scene.simulation.world.between(0, 2000), () => void reload(scene));
  return true;
}

/** A great many monitors, which come to an agent in several frames, while its link is cut and comes back. */
function many(scene: Scene): boolean {
  const { simulation, machine } = scene;
  const { server, world } = simulation;
  if (!server.server || server.monitors.length > 200) return false;
  const before = server.monitors;
  const more = Array.from({ length: 3000 }, (_, index): MonitorSpec => ({
    ...monitorNumber(world.nextNumber(), 3_600_000),
    agents: [simulation.administrator.names.get(machine.agentId) ?? ''],
    // A result of each would only cost time.
    paused: index % 30 > 0,
  }));
  simulation.administrator.reload([...before, ...more]);
  const reset = (): void => {
    for (const line of machine.lines) line.breakOff();
  };
  for (const at of [20_000, 40_000, 60_000]) scene.later(at, reset);
  world.after(90_000, () =>
    simulation.administrator.reload(server.monitors.filter(({ intervalMs }) => intervalMs < 3_600_000)),
  );
  return true;
}

function pause(scene: Scene): boolean {
  const { simulation } = scene;
  const monitor = simulation.world.oneOf(simulation.server.monitors);
  if (!monitor || !simulation.server.server) return false;
  simulation.administrator.pause(monitor.id, true);
  scene.later(duration(scene, 300_000), () => simulation.administrator.pause(monitor.id, false));
  return true;
}

export const administration: Readonly<Record<string, readonly [number, Fault]>> = {
  reload: [4, reload],
  'reconnect-with-3000-tasks': [1, many],
  'pause-monitor': [3, pause],
  'run-now': [3, ({ simulation, machine }) => simulation.administrator.runNow(machine)],
  'reload-storm': [2, storm],
  revoke: [
    2,
    (scene) => {
      const { simulation, machine } = scene;
      if (!simulation.administrator.revoke(machine)) return false;
      scene.later(duration(scene, 300_000), () => simulation.administrator.bringBack(machine));
      return true;
    },
  ],
  rename: [2, ({ simulation, machine }) => simulation.administrator.rename(machine)],
};
