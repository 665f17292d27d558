import { agentsAnswer, monitorsAnswer, tasksAnswer } from './server-answers.ts';
import type { AgentAnswer, MonitorAnswer, TaskAnswer, TaskSummary } from './server-answers.ts';
import type { ServerClient } from './server-client.ts';

const shortestRefreshMs = 1000;

/** What a console knows of its server: names for the ids that events carry, and words to complete. */
export class FleetPicture {
  readonly #client: ServerClient;
  #agents: readonly AgentAnswer[] = [];
  #names = new Map<string, string>();
  #monitors: readonly MonitorAnswer[] = [];
  #tasks = new Map<string, TaskAnswer>();
  #takenAt = -Infinity;

  constructor(client: ServerClient) {
    this.#client = client;
  }

  get agents(): readonly AgentAnswer[] {
    return this.#agents;
  }

  get monitors(): readonly MonitorAnswer[] {
    return this.#monitors;
  }

  get tasks(): readonly TaskAnswer[] {
    return [...this.#tasks.values()];
  }

  /** Takes the picture anew. @throws {AppError} unavailable */
  async take(): Promise<void> {
    this.#takenAt = performance.now();
    const [{ agents }, { tasks }, { monitors }] = await Promise.all([
      this.#client.get('/agents', agentsAnswer),
      this.#client.get('/tasks', tasksAnswer),
      this.#client.get('/monitors', monitorsAnswer),
    ]);
    this.#agents = agents;
    this.#names = new Map(agents.map(({ id, name }) => [id, name]));
    this.#monitors = monitors;
    this.#tasks = new Map(tasks.map((task) => [task.id, task]));
  }

  /** The task of this id; one that is new since the picture was taken is asked for, at most once a second. */
  async task(id: string): Promise<TaskAnswer | undefined> {
    if (!this.#tasks.has(id) && performance.now() - this.#takenAt > shortestRefreshMs) await this.take();
    return this.#tasks.get(id);
  }

  agentName(id: string): string {
    return this.#names.get(id) ?? id;
  }

  /** An event told of an agent. */
  noteAgent(id: string, name: string): void {
    this.#names.set(id, name);
  }

  /** An event told of tasks of an agent; returns them as they are now. */
  noteTasks(agentId: string, tasks: readonly TaskSummary[]): readonly TaskAnswer[] {
    const agent = this.agentName(agentId);
    const noted = tasks.map((task): TaskAnswer => {
      const { state = 'unknown', stateSince = null, latest = null } = this.#tasks.get(task.id) ?? {};
      return Object.assign(task, { agent, state, stateSince, latest });
    });
    for (const task of noted) this.#tasks.set(task.id, task);
    return noted;
  }
}
