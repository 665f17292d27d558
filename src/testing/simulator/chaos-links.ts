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

/** What an agent says is not so for a while; only frames of entries are changed. */
function lying(tell: (entries: EntriesFrame, scene: Scene) => readonly object[]): Fault {
  return (scene) => {
    const { link } = scene.machine;
    link.lie = (frame) => {
      const message = JSON.parse(frame) as EntriesFrame;
      return message.type === 'entries' ? tell(message, scene).map((each) => JSON.stringify(each)) : [frame];
    };
    scene.later(duration(scene, 120_000), () => (link.lie = undefined));
  };
}

interface EntriesFrame {
  readonly type: string;
  readonly entries: readonly { readonly seq: number; readonly item: object & { readonly kind: string } }[];
}

/** Results, as if they were of the tasks of another agent. */
function ofOthers(frame: EntriesFrame, { simulation, machine }: Scene): readonly object[] {
  const { world, machines } = simulation;
  const other = world.oneOf(machines.filter((each) => each !== machine && each.tasks.length > 0));
  const entries = frame.entries.map(({ seq, item }) => {
    const { id: taskId, monitorId } = world.oneOf(other?.tasks ?? []) ?? { id: world.newId(), monitorId: 'none' };
    return { seq, item: item.kind === 'result' ? { ...item, taskId, monitorId } : item };
  });
  return [{ ...frame, entries }];
}

export const links: Readonly<Record<string, readonly [number, Fault]>> = {
  'link-cut': [4, cutting(['up', 'down'])],
  'link-cut-to-server': [3, cutting(['up'])],
  'link-cut-to-agent': [3, cutting(['down'])],
  'link-delay': [3, changing((link, { simulation: { world } }) => (link.delayMs = world.between(100, 4000)))],
  'link-reorder': [3, changing((link, { simulation: { world } }) => (link.jitterMs = world.between(100, 3000)))],
  'link-slow': [3, changing((link, { simulation: { world } }) => (link.bytesPerMs = world.between(0.2, 10)))],
  'agent-says-twice': [3, lying((frame) => [frame, frame])],
  'agent-lies': [3, lying(ofOthers)],
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
