import type { Task } from '../core/task.ts';
import type { ServerMessage } from '../protocol/messages.ts';

export type TasksMessage = Extract<ServerMessage, { type: 'tasks' }>;

/** `partial`: more frames belong to the change, and nothing has changed yet. `unfit`: it is a change to another revision than ours. */
export type Applied = 'changed' | 'partial' | 'unfit';

/** The tasks this agent has, kept in step with the server by changes from one revision to the next. */
export class TaskList {
  #tasks: ReadonlyMap<string, Task>;
  /** What the frames that have come so far make of the tasks. */
  #next: Map<string, Task> | undefined;
  #revision: number | undefined;

  /** Starts with the saved tasks; the first change of a connection replaces them all. */
  constructor(kept: readonly Task[] = []) {
    this.#tasks = new Map(kept.map((task) => [task.id, task]));
  }

  get tasks(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  get(taskId: string): Task | undefined {
    return this.#tasks.get(taskId);
  }

  /** A change in several frames takes effect when its last has come; one whose connection ended before never does. */
  apply({ revision, base, more, set, remove }: TasksMessage): Applied {
    if (base === undefined) this.#next = new Map();
    else if (base !== this.#revision) return 'unfit';
    const next = this.#next ?? new Map(this.#tasks);
    for (const task of set) next.set(task.id, task);
    for (const taskId of remove) next.delete(taskId);
    this.#revision = revision;
    this.#next = more ? next : undefined;
    if (more) return 'partial';
    this.#tasks = next;
    return 'changed';
  }
}
