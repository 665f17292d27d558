import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { Task } from '../../core/task.ts';
import { maxFrameBytes } from '../../protocol/frames.ts';
import { maxIdsPerFrame, type ServerMessage } from '../../protocol/messages.ts';
import type { TaskTable } from './task-table.ts';

interface DispatcherPorts {
  readonly table: TaskTable;
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
  /** Resolves when there is room for more. */
  deliver(message: ServerMessage): Promise<void>;
}

interface Line {
  readonly recipient: Recipient;
  /** What this connection was told so far. */
  sent: Map<string, Task>;
  revision: number;
  /** Set while a change is being told; a change that comes meanwhile is told after it. */
  isBusy: boolean;
  isStale: boolean;
}

/** Half of what a frame may be: a line that is this far behind still takes heartbeats in time. */
const bytesPerFrame = maxFrameBytes / 2;

/** Tells each connected agent the tasks that the table gives it, and what changes in them. */
export class Dispatcher {
  readonly #ports: DispatcherPorts;
  readonly #lines = new Map<string, Line>();
  #replacing: Promise<unknown> = Promise.resolve();

  constructor(ports: DispatcherPorts) {
    this.#ports = ports;
  }

  /**
   * Makes these the monitors there are; connected agents hear of the difference at once. Resolves when all of them have been
   * told. If it rejects nothing has changed.
   */
  async reconcile(monitors: readonly MonitorSpec[]): Promise<void> {
    const replaced = this.#replacing.then(() => this.#ports.table.replace(monitors));
    this.#replacing = replaced.catch(() => {});
    await replaced;
    await Promise.all([...this.#lines.values()].map((line) => this.#tell(line)));
  }

  /** An agent is there: it is told all its tasks, then every change. */
  async connect(recipient: Recipient): Promise<void> {
    const line: Line = { recipient, sent: new Map(), revision: 0, isBusy: false, isStale: false };
    this.#lines.set(recipient.agentId, line);
    await this.refresh(recipient.agentId);
  }

  /** The agent's tasks may have changed without a change of the monitors: it has another name. */
  async refresh(agentId: string): Promise<void> {
    await this.#ports.table.settle(agentId);
    const line = this.#lines.get(agentId);
    if (line) await this.#tell(line);
  }

  disconnect(recipient: Recipient): void {
    if (this.#lines.get(recipient.agentId)?.recipient === recipient) this.#lines.delete(recipient.agentId);
  }

  async #tell(line: Line): Promise<void> {
    if (line.isBusy) {
      line.isStale = true;
      return;
    }
    line.isBusy = true;
    try {
      do {
        line.isStale = false;
        await this.#tellDifference(line);
      } while (line.isStale);
    } finally {
      line.isBusy = false;
    }
  }

  /** Sends the difference to what the agent has, in frames that each lead from one revision to the next; the last says so. */
  async #tellDifference(line: Line): Promise<void> {
    const { agentId } = line.recipient;
    const wanted = this.#ports.table.tasksOf(agentId);
    const isFirst = line.revision === 0;
    const remove = [...line.sent.keys()].filter((id) => !wanted.has(id));
    const set = [...wanted.values()].filter(({ task }) => task !== line.sent.get(task.id)).map(({ task }) => task);
    if (!isFirst && remove.length === 0 && set.length === 0) return;
    line.sent = new Map([...wanted].map(([id, { task }]) => [id, task]));
    const parts = inFrames(set.map(withoutAgent), remove);
    for (const [at, part] of parts.entries()) {
      const base = line.revision++;
      const { revision } = line;
      this.#ports.onSent(agentId, { revision, set: part.set, removed: part.remove });
      const isLast = at === parts.length - 1;
      const place = { revision, ...(base > 0 && { base }), ...(!isLast && { more: true }) };
      // One after the other: thousands of tasks at once are more than a line holds.
      await line.recipient.deliver({ type: 'tasks', ...place, ...part });
    }
  }
}

interface Part {
  readonly set: Task[];
  readonly remove: string[];
}

/** A change in as many parts as frames need; one, empty, for none. */
function inFrames(set: readonly Task[], remove: readonly string[]): readonly Part[] {
  const parts: Part[] = [{ set: [], remove: remove.slice(0, maxIdsPerFrame) }];
  for (let at = maxIdsPerFrame; at < remove.length; at += maxIdsPerFrame)
    parts.push({ set: [], remove: remove.slice(at, at + maxIdsPerFrame) });
  // A removed id takes 39 bytes.
  let bytes = 40 * (parts.at(-1)?.remove.length ?? 0);
  for (const task of set) {
    const size = Buffer.byteLength(JSON.stringify(task)) + 1;
    let part = parts.at(-1);
    if (!part || bytes + size > bytesPerFrame || part.set.length >= maxIdsPerFrame) {
      part = { set: [], remove: [] };
      parts.push(part);
      bytes = 0;
    }
    part.set.push(task);
    bytes += size;
  }
  return parts;
}

function withoutAgent({ agentId: _agentId, ...task }: Task & { readonly agentId: string }): Task {
  return task;
}
