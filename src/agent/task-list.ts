import type { Task } from '../core/task.ts';
import type { ServerMessage } from '../protocol/messages.ts';

export type TasksMessage = Extract<ServerMessage, { type: 'tasks' }>;

/** The tasks this agent has, kept in step with the server by changes from one revision to the next. */
export class TaskList {
  readonly #tasks: Map<string, Task>;
  #revision: number | undefined;

  /** Starts with the saved tasks; the first message of a connection replaces them all. */
  constructor(kept: readonly Task[] = []) {
    this.#tasks = new Map(kept.map((task) => [task.id, task]));
  }

  get tasks(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  get(taskId: string): Task | undefined {
    return this.#tasks.get(taskId);
  }

  /** False if the change is to a revision this agent does not have; nothing is changed then. */
  apply({ revision, base, set, remove }: TasksMessage): boolean {
    if (base === undefined) this.#tasks.clear();
    else if (base !== this.#revision) return false;
    for (const task of set) this.#tasks.set(task.id, task);
    for (const taskId of remove) this.#tasks.delete(taskId);
    this.#revision = revision;
    return true;
  }
}
