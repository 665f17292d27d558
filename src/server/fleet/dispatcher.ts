import { isDeepStrictEqual } from 'node:util';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { Task } from '../../core/task.ts';
import { maxFrameBytes } from '../../protocol/frames.ts';
import type { ServerMessage } from '../../protocol/messages.ts';

export interface DispatcherPorts {
  /** The tasks of these monitors on this agent, made where there is none yet: the same pair has the same id for ever. */
  assignTasks(
    agentId: string,
    monitorIds: readonly string[],
  ): Promise<{ readonly tasks: readonly { readonly id: string; readonly monitorId: string }[] }>;
  /** An agent was sent tasks that are new to it or changed, and the ids of those it no longer has. */
  onSent(agentId: string, change: SentChange): void;
}

export interface SentChange {
  readonly revision: number;
  readonly set: readonly Task[];
  readonly removed: readonly string[];
}

export interface Recipient {
  readonly agentId: string;
  readonly name: string;
  /** Resolves when there is room for more. */
  deliver(message: ServerMessage): Promise<void>;
}

interface Line {
  readonly recipient: Recipient;
  /** What this connection was told so far. */
  sent: Map<string, Task>;
  revision: number;
  /** Set while a change is being worked out; a change that comes meanwhile is worked out after it. */
  isBusy: boolean;
  isStale: boolean;
}

/** Half of what a frame may be, so that the last task of one always fits. */
const taskBytesPerFrame = maxFrameBytes / 2;

/** Hands monitors to agents as tasks, and tells each connected agent what changes. */
export class Dispatcher {
  readonly #ports: DispatcherPorts;
  readonly #lines = new Map<string, Line>();
  readonly #tasks = new Map<string, Task & { readonly agentId: string }>();
  #monitors: readonly MonitorSpec[] = [];

  constructor(ports: DispatcherPorts) {
    this.#ports = ports;
  }

  get monitors(): readonly MonitorSpec[] {
    return this.#monitors;
  }

  /** Every task that was handed to an agent since this server started, with the agent that has it. */
  tasks(): readonly (Task & { readonly agentId: string })[] {
    return [...this.#tasks.values()];
  }

  /** Makes these the monitors there are; connected agents hear of the difference at once. */
  async reconcile(monitors: readonly MonitorSpec[]): Promise<void> {
    this.#monitors = monitors;
    await Promise.all([...this.#lines.values()].map((line) => this.#update(line)));
  }

  /** An agent is there: it is told all its tasks, then every change. */
  async connect(recipient: Recipient): Promise<void> {
    const line: Line = { recipient, sent: new Map(), revision: 0, isBusy: false, isStale: false };
    this.#lines.set(recipient.agentId, line);
    await this.#update(line);
  }

  disconnect(recipient: Recipient): void {
    if (this.#lines.get(recipient.agentId)?.recipient === recipient) this.#lines.delete(recipient.agentId);
  }

  async #update(line: Line): Promise<void> {
    if (line.isBusy) {
      line.isStale = true;
      return;
    }
    line.isBusy = true;
    try {
      do {
        line.isStale = false;
        await this.#tell(line, await this.#tasksOf(line.recipient));
      } while (line.isStale);
    } finally {
      line.isBusy = false;
    }
  }

  async #tasksOf({ agentId, name }: Recipient): Promise<Map<string, Task>> {
    const monitors = this.#monitors.filter(({ agents }) => agents === undefined || agents.includes(name));
    const specs = new Map(monitors.map((monitor) => [monitor.id, monitor]));
    const { tasks } = await this.#ports.assignTasks(agentId, [...specs.keys()]);
    const mine = new Map<string, Task>();
    for (const { id, monitorId } of tasks) {
      const spec = specs.get(monitorId);
      if (spec) mine.set(id, taskOf(id, spec));
    }
    for (const [id, { agentId: owner }] of this.#tasks) if (owner === agentId && !mine.has(id)) this.#tasks.delete(id);
    for (const [id, task] of mine) this.#tasks.set(id, { ...task, agentId });
    return mine;
  }

  /** Sends the difference to what the agent has, in frames that each lead from one revision to the next. */
  async #tell(line: Line, wanted: ReadonlyMap<string, Task>): Promise<void> {
    const isFirst = line.revision === 0;
    const remove = [...line.sent.keys()].filter((id) => !wanted.has(id));
    const set = [...wanted.values()].filter((task) => !isDeepStrictEqual(task, line.sent.get(task.id)));
    if (!isFirst && remove.length === 0 && set.length === 0) return;
    for (const [at, part] of inFrames(set).entries()) {
      const base = line.revision++;
      const { revision } = line;
      const removed = at === 0 ? remove : [];
      this.#ports.onSent(line.recipient.agentId, { revision, set: part, removed });
      // One after the other: thousands of tasks at once are more than a line holds.
      await line.recipient.deliver({ type: 'tasks', revision, ...(base > 0 && { base }), set: part, remove: removed });
    }
    line.sent = new Map(wanted);
  }
}

/** Tasks in as many parts as frames need; one part, empty, for none. */
function inFrames(tasks: readonly Task[]): Task[][] {
  const parts: Task[][] = [[]];
  let bytes = 0;
  for (const task of tasks) {
    bytes += JSON.stringify(task).length;
    if (bytes > taskBytesPerFrame) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(task);
  }
  return parts;
}

function taskOf(id: string, { id: monitorId, name: monitorName, ...spec }: MonitorSpec): Task {
  const { type, target, options, intervalMs, timeoutMs, paused } = spec;
  return { id, monitorId, monitorName, type, target, options, intervalMs, timeoutMs, paused };
}
