import { diskError, type Operation } from '../simulated-disk.ts';
import { duration } from './chaos-links.ts';
import type { Fault, Scene } from './chaos.ts';

const writing: readonly Operation[] = ['create', 'open', 'write', 'sync', 'rename', 'remove', 'sync-folder'];

/** Operations of these kinds fail for a while, each with this probability. */
function failing(operations: readonly Operation[], code: string, probability: number): Fault {
  return (scene) => {
    const { disk, files } = scene.machine;
    const { world } = scene.simulation;
    disk.onOperation = (operation) => {
      if (operations.includes(operation) && world.random() < probability) throw diskError(code, operation);
    };
    if (operations === writing) files.fault = code;
    scene.later(duration(scene, 240_000), () => {
      disk.onOperation = () => {};
      files.fault = undefined;
    });
  };
}

function full(scene: Scene): void {
  const { disk, files } = scene.machine;
  const { world } = scene.simulation;
  const before = disk.capacityBytes;
  disk.capacityBytes = disk.usedBytes + world.pick(3000);
  files.fault = 'ENOSPC';
  scene.later(duration(scene, 600_000), () => {
    disk.capacityBytes = before;
    files.fault = undefined;
  });
}

/** The spool is gone; who the agent is stays. */
function emptied({ machine, simulation }: Scene): void {
  machine.kill();
  machine.emptySpool();
  simulation.entries.excuse(machine.agentId, 0, 'the spool was emptied');
  simulation.world.after(1000, () => machine.boot());
}

/** The machine is an earlier one again: its folder as it was some minutes ago. */
function setBack(scene: Scene): void {
  const { machine, simulation } = scene;
  const { world } = simulation;
  const [spool, files, copiedMs] = [machine.disk.copy(), machine.files.copy(), world.nowMs];
  scene.later(duration(scene, 300_000), () => {
    machine.kill();
    simulation.absences.forget(machine);
    machine.disk.setBack(spool);
    machine.files.become(files);
    simulation.entries.excuse(machine.agentId, copiedMs, 'the folder was set back');
    world.after(1000, () => machine.boot());
  });
}

/** Another machine runs with a copy of the folder for a while: it knows that it is one, or does not. */
function copied(scene: Scene): boolean {
  const { machine, simulation } = scene;
  if (!machine.isRunning || !simulation.administrator.names.has(machine.agentId)) return false;
  const copy = simulation.addCopy(machine, { knowsIt: simulation.world.random() < 0.5 });
  copy.boot();
  simulation.world.after(duration(scene, 240_000), () => simulation.endCopy(copy));
  return true;
}

/** The store is what it was some minutes ago: the administrator restored a backup. */
function storeSetBack(scene: Scene): boolean {
  const { simulation } = scene;
  if (!simulation.server.server) return false;
  const backup = simulation.administrator.backUp();
  scene.later(duration(scene, 300_000), () => simulation.administrator.restore(backup));
  return true;
}

export const disks: Readonly<Record<string, readonly [number, Fault]>> = {
  'disk-full': [3, full],
  'disk-fails': [2, failing(writing, 'EIO', 1)],
  'disk-fails-sometimes': [3, failing(writing, 'EIO', 0.2)],
  'sync-fails': [3, failing(['sync'], 'EIO', 0.5)],
  'spool-emptied': [1, emptied],
  'folder-set-back': [2, setBack],
  'folder-copied': [2, copied],
  'store-set-back': [1, storeSetBack],
};
