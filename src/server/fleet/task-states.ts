import type { Cancel, Clock } from '../../core/clock.ts';
import type { ResultItem } from '../../core/entry.ts';
import type { Status } from '../../core/outcome.ts';
import type { WantedTask } from './task-table.ts';

/** What is known of a task's target now, and since when. */
export interface TaskState {
  readonly state: Status;
  /** Epoch milliseconds; undefined if it has been so since this server started, or longer. */
  readonly since: number | undefined;
}

export interface StateChange extends TaskState {
  readonly wanted: WantedTask;
  readonly before: Status;
  readonly at: number;
  /** Why it is in this state, for people. */
  readonly message: string;
}

interface StatePorts {
  readonly clock: Clock;
  wanted(): readonly WantedTask[];
  tasksOf(agentId: string): ReadonlyMap<string, WantedTask>;
  /** The newest result of a task. */
  latest(taskId: string): ResultItem | undefined;
  /** Whether the agent is there, or was until a moment ago. */
  isPresent(agentId: string): boolean;
  /** Whether the newest result of a task says something of its target now. */
  isCurrent(wanted: WantedTask): boolean;
  onChange(change: StateChange): void;
}

interface Finding {
  readonly state: Status;
  readonly message: string;
}

const lookIntervalMs = 1000;
/** One part of the tasks is looked at each time: 130,000 at once would hold up everything else. */
const parts = 10;

/**
 * The state of each task: the status of its newest result, as long as that says something of its target. It is unknown
 * while the task is paused, its agent is away, or no results come.
 */
export class TaskStates {
  readonly #ports: StatePorts;
  readonly #known = new Map<string, TaskState>();
  #part = 0;
  #cancel: Cancel = () => {};

  constructor(ports: StatePorts) {
    this.#ports = ports;
  }

  /** Takes the states there are as they are, and tells changes from now on. */
  start(): void {
    for (const wanted of this.#ports.wanted())
      this.#known.set(wanted.task.id, { state: this.#find(wanted).state, since: undefined });
    this.#cancel = this.#ports.clock.after(lookIntervalMs, () => this.#look());
  }

  stop(): void {
    this.#cancel();
  }

  of(wanted: WantedTask): TaskState {
    this.#settle(wanted);
    return this.#known.get(wanted.task.id) ?? { state: 'unknown', since: undefined };
  }

  /** A result of this task has come. */
  noteResult(agentId: string, taskId: string): void {
    const wanted = this.#ports.tasksOf(agentId).get(taskId);
    if (wanted) this.#settle(wanted);
  }

  /** The status of this agent, or its tasks, have changed. */
  noteAgent(agentId: string): void {
    for (const wanted of this.#ports.tasksOf(agentId).values()) this.#settle(wanted);
  }

  #look(): void {
    const wanted = this.#ports.wanted();
    const size = Math.ceil(wanted.length / parts);
    for (const one of wanted.slice(this.#part * size, (this.#part + 1) * size)) this.#settle(one);
    this.#part = (this.#part + 1) % parts;
    if (this.#part === 0 && this.#known.size > wanted.length) this.#forget(wanted);
    this.#cancel = this.#ports.clock.after(lookIntervalMs, () => this.#look());
  }

  /** Of tasks that are gone. */
  #forget(wanted: readonly WantedTask[]): void {
    const ids = new Set(wanted.map(({ task }) => task.id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
  }

  #settle(wanted: WantedTask): void {
    const { id } = wanted.task;
    const { state, message } = this.#find(wanted);
    const before = this.#known.get(id)?.state ?? 'unknown';
    if (state === before) return;
    const at = this.#ports.clock.now();
    this.#known.set(id, { state, since: at });
    this.#ports.onChange({ wanted, state, since: at, before, at, message });
  }

  #find(wanted: WantedTask): Finding {
    const { task } = wanted;
    if (task.paused) return { state: 'unknown', message: 'it is paused' };
    if (!this.#ports.isPresent(task.agentId)) return { state: 'unknown', message: 'its agent is away' };
    const latest = this.#ports.latest(task.id);
    if (!latest) return { state: 'unknown', message: 'it has no result yet' };
    if (!this.#ports.isCurrent(wanted)) return { state: 'unknown', message: 'no results come' };
    return { state: latest.status, message: latest.message };
  }
}
