import { isDeepStrictEqual } from 'node:util';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { serverAgentId, type Task } from '../../core/task.ts';

export interface TaskTablePorts {
  readonly clock: { monotonic(): number };
  /** The tasks of these monitors on this agent, made where there is none yet: the same pair has the same id for ever. */
  assignTasks(
    agentId: string,
    monitorIds: readonly string[],
  ): Promise<{ readonly tasks: readonly { readonly id: string; readonly monitorId: string }[] }>;
}

/** A task with the agent that has it. */
export interface HandedTask extends Task {
  readonly agentId: string;
}

/** A task that should bring results, and since when it should. */
export interface WantedTask {
  readonly task: HandedTask;
  readonly sinceMs: number;
}

interface TableAgent {
  name: string;
  isRevoked: boolean;
  /** True for this server itself, which has the tasks that no agent runs. */
  readonly isServer: boolean;
  /** By monitor id; also of monitors that are gone, or that this agent no longer runs. */
  readonly taskIds: Map<string, string>;
  /** By task id. */
  readonly tasks: Map<string, WantedTask>;
  /** Computed on first use, and again after a change. */
  resultsPerSecond: number | undefined;
}

/** Which agent runs which monitor as which task, for every known agent, connected or not. */
export class TaskTable {
  readonly #ports: TaskTablePorts;
  readonly #agents = new Map<string, TableAgent>();
  /** Which agent has or had a task, and for which monitor: results of tasks that were taken away may still come. */
  readonly #owners = new Map<string, { readonly agentId: string; readonly monitorId: string }>();
  #monitors: ReadonlyMap<string, MonitorSpec> = new Map();
  /** Computed on first use, and again after a change. */
  #wanted: readonly WantedTask[] | undefined;

  constructor(ports: TaskTablePorts) {
    this.#ports = ports;
    this.#agent(serverAgentId);
  }

  get monitors(): readonly MonitorSpec[] {
    return [...this.#monitors.values()];
  }

  /** Every task that a known agent has, paused ones too. */
  get wanted(): readonly WantedTask[] {
    this.#wanted ??= [...this.#agents.values()].flatMap(({ tasks }) => Array.from(tasks.values()));
    return this.#wanted;
  }

  /** Monitors that no known agent runs. */
  get withoutAgent(): readonly MonitorSpec[] {
    const agents = [...this.#agents.values()];
    return this.monitors.filter((monitor) => !agents.some((agent) => runs(agent, monitor)));
  }

  /** Whether there is or was such a task: its results may be kept. */
  isKnown(taskId: string): boolean {
    return this.#owners.has(taskId);
  }

  /** The agent that has this task now. */
  agentOf(taskId: string): string | undefined {
    const agentId = this.#owners.get(taskId)?.agentId;
    return agentId !== undefined && this.#agents.get(agentId)?.tasks.has(taskId) ? agentId : undefined;
  }

  isTaskOf({ taskId, monitorId }: { readonly taskId: string; readonly monitorId: string }, agentId: string): boolean {
    const owner = this.#owners.get(taskId);
    return owner?.agentId === agentId && owner.monitorId === monitorId;
  }

  /** How many results the tasks of an agent make. */
  resultsPerSecond(agentId: string): number {
    const agent = this.#agents.get(agentId);
    if (!agent) return 0;
    agent.resultsPerSecond ??= agent.tasks
      .values()
      .reduce((sum, { task }) => sum + (task.paused ? 0 : 1000 / task.intervalMs), 0);
    return agent.resultsPerSecond;
  }

  /** The tasks of one agent, by id. */
  tasksOf(agentId: string): ReadonlyMap<string, WantedTask> {
    return this.#agents.get(agentId)?.tasks ?? new Map();
  }

  /** The ids that were given before this server started. */
  load(known: readonly { readonly id: string; readonly agentId: string; readonly monitorId: string }[]): void {
    for (const { id, agentId, monitorId } of known) {
      this.#owners.set(id, { agentId, monitorId });
      this.#agent(agentId).taskIds.set(monitorId, id);
    }
  }

  /** An agent has joined, has another name, or was revoked. `settle` then gives it its tasks. */
  expect({ id, name, isRevoked }: { readonly id: string; readonly name: string; readonly isRevoked: boolean }): void {
    Object.assign(this.#agent(id), { name, isRevoked });
    this.#apply(id, this.#monitors.keys());
  }

  /** Forgets ids that were dropped: a monitor or an agent that comes back gets a new one. */
  forgetTasks(taskIds: readonly string[]): void {
    const ids = new Set(taskIds);
    for (const id of ids) {
      const owner = this.#owners.get(id);
      if (!owner) continue;
      this.#owners.delete(id);
      const taskIds = this.#agents.get(owner.agentId)?.taskIds;
      if (taskIds?.get(owner.monitorId) === id) taskIds.delete(owner.monitorId);
    }
  }

  forget(agentId: string): void {
    this.#agents.delete(agentId);
    this.#wanted = undefined;
  }

  /** Gives the agent an id for each monitor it runs. */
  async settle(agentId: string): Promise<void> {
    let monitors;
    do {
      monitors = this.#monitors;
      await this.#assign(agentId, monitors.values());
    } while (monitors !== this.#monitors);
    this.#apply(agentId, this.#monitors.keys());
  }

  /** Replaces all monitors. If it rejects, nothing has changed. */
  async replace(monitors: readonly MonitorSpec[]): Promise<void> {
    const next = new Map(monitors.map((monitor) => [monitor.id, this.#unchanged(monitor)]));
    const changed = [...new Set([...this.#monitors.keys(), ...next.keys()])].filter(
      (id) => this.#monitors.get(id) !== next.get(id),
    );
    const added = changed.flatMap((id) => next.get(id) ?? []);
    let agents;
    do {
      agents = [...this.#agents.keys()];
      await Promise.all(agents.map((agentId) => this.#assign(agentId, added)));
      // Another agent may have joined meanwhile.
    } while (agents.length < this.#agents.size);
    this.#monitors = next;
    for (const agentId of this.#agents.keys()) this.#apply(agentId, changed);
  }

  #agent(agentId: string): TableAgent {
    return this.#agents.getOrInsertComputed(agentId, () => ({
      name: '',
      isRevoked: true,
      isServer: agentId === serverAgentId,
      taskIds: new Map(),
      tasks: new Map(),
      resultsPerSecond: undefined,
    }));
  }

  /** The same object for the same monitor, so that comparing is cheap from here on. */
  #unchanged(monitor: MonitorSpec): MonitorSpec {
    const before = this.#monitors.get(monitor.id);
    return before && isDeepStrictEqual(before, monitor) ? before : monitor;
  }

  async #assign(agentId: string, monitors: Iterable<MonitorSpec>): Promise<void> {
    const agent = this.#agent(agentId);
    const missing = [...monitors].filter((monitor) => runs(agent, monitor) && !agent.taskIds.has(monitor.id));
    if (missing.length === 0) return;
    const { tasks } = await this.#ports.assignTasks(
      agentId,
      missing.map(({ id }) => id),
    );
    for (const { id, monitorId } of tasks) {
      agent.taskIds.set(monitorId, id);
      this.#owners.set(id, { agentId, monitorId });
    }
  }

  #apply(agentId: string, monitorIds: Iterable<string>): void {
    const agent = this.#agent(agentId);
    agent.resultsPerSecond = undefined;
    for (const monitorId of monitorIds) {
      const taskId = agent.taskIds.get(monitorId);
      if (taskId === undefined) continue;
      const monitor = this.#monitors.get(monitorId);
      if (monitor && runs(agent, monitor)) this.#put(agent, { taskId, agentId, monitor });
      else agent.tasks.delete(taskId);
    }
    this.#wanted = undefined;
  }

  #put(
    { tasks }: TableAgent,
    { taskId, agentId, monitor }: { readonly taskId: string; readonly agentId: string; readonly monitor: MonitorSpec },
  ): void {
    const before = tasks.get(taskId);
    const task = { ...taskOf(taskId, monitor), agentId };
    if (before && isDeepStrictEqual(before.task, task)) return;
    const goesOn = before && !before.task.paused && before.task.intervalMs === task.intervalMs;
    tasks.set(taskId, { task, sinceMs: goesOn ? before.sinceMs : this.#ports.clock.monotonic() });
  }
}

function runs(
  { name, isRevoked, isServer }: Pick<TableAgent, 'name' | 'isRevoked' | 'isServer'>,
  { agents, isPassive = false }: MonitorSpec,
): boolean {
  if (isPassive || isServer) return isPassive && isServer;
  return !isRevoked && (agents === undefined || agents.includes(name));
}

function taskOf(id: string, { id: monitorId, name: monitorName, ...spec }: MonitorSpec): Task {
  const { type, target, options, intervalMs, timeoutMs, paused } = spec;
  return { id, monitorId, monitorName, type, target, options, intervalMs, timeoutMs, paused };
}
