import { Hono } from 'hono';
import type { ResultItem } from '../core/entry.ts';
import type { MonitorSpec } from '../core/monitor-spec.ts';
import type { AgentView } from '../server/fleet/fleet.ts';
import { TaskStates, type StateChange } from '../server/fleet/task-states.ts';
import { TaskTable } from '../server/fleet/task-table.ts';
import { Health } from '../server/host/health.ts';
import { LatestResults } from '../server/pipeline/latest-results.ts';
import { addStatus } from '../server/routes/status.ts';
import { FakeClock } from './fake-clock.ts';

export function monitorSpec(name: string, over: Partial<MonitorSpec> = {}): MonitorSpec {
  const spec = { id: name, name, type: 'tcp', target: `${name}:80`, options: {}, intervalMs: 10_000, timeoutMs: 5000 };
  return { ...spec, paused: false, ...over };
}

export function agentView(name: string, over: Partial<AgentView> = {}): AgentView {
  return {
    id: `id of ${name}`,
    name,
    status: 'online',
    since: 0,
    address: undefined,
    version: undefined,
    lastSeenAt: undefined,
    tasks: 0,
    queue: { depth: 0, bytes: 0, oldestUnsentAt: undefined, at: 0 },
    lagMs: 0,
    clockOffsetMs: 0,
    impaired: [],
    warnings: [],
    sensors: [],
    ...over,
  };
}

/** The parts of a server that say how it is, without agents that speak. */
export class ServerStatus {
  readonly clock = new FakeClock();
  readonly latest = new LatestResults();
  readonly health: Health;
  readonly app = new Hono();
  readonly states: TaskStates;
  /** Of states, as they were told. */
  readonly changes: StateChange[] = [];
  readonly #table: TaskTable;
  #agents: readonly AgentView[] = [];

  constructor() {
    const { clock, latest } = this;
    this.#table = new TaskTable({
      clock,
      assignTasks: async (agentId, monitorIds) => ({
        tasks: monitorIds.map((monitorId) => ({ id: `${monitorId} on ${agentId}`, monitorId })),
      }),
    });
    this.health = new Health({
      clock,
      wanted: () => this.#table.wanted,
      withoutAgent: () => this.#table.withoutAgent,
      measuredMs: (taskId) => latest.get(taskId)?.measuredMs,
      agentName: (agentId) => this.#agents.find(({ id }) => id === agentId)?.name ?? agentId,
    });
    this.states = new TaskStates({
      clock,
      wanted: () => this.#table.wanted,
      tasksOf: (agentId) => this.#table.tasksOf(agentId),
      latest: (taskId) => latest.get(taskId)?.result,
      isPresent: (agentId) =>
        this.#agents.some(({ id, status }) => id === agentId && status !== 'offline' && status !== 'revoked'),
      isCurrent: (wanted) => this.health.silence.isCurrent(wanted),
      onChange: (change) => this.changes.push(change),
    });
    addStatus(this.app, {
      clock,
      health: this.health,
      version: '1',
      agents: () => this.#agents,
      wanted: () => this.#table.wanted,
      latest: (taskId) => latest.get(taskId),
      states: this.states,
      lostLogLines: () => 0,
      connections: () => ({ strangers: 1, known: 2 }),
      audit: () => ({ failedLogins: 0, writes: 0 }),
    });
  }

  async set({
    agents,
    monitors,
  }: {
    readonly agents: readonly AgentView[];
    readonly monitors: readonly MonitorSpec[];
  }) {
    this.#agents = agents;
    for (const { id, name, status } of agents) this.#table.expect({ id, name, isRevoked: status === 'revoked' });
    await this.#table.replace(monitors);
    for (const { id } of agents) await this.#table.settle(id);
  }

  /** A result has come, now. */
  result(monitor: string, agent: string, over: Partial<ResultItem> = {}): void {
    const now = this.clock.now();
    const taskId = `${monitor} on id of ${agent}`;
    const times = { scheduledAt: now, startedAt: now, durationMs: 20 };
    const outcome = { status: 'up', metrics: {}, detail: {}, message: 'fine' } as const;
    const result: ResultItem = { kind: 'result', taskId, monitorId: monitor, ...times, ...outcome, ...over };
    this.latest.take({ agentId: `id of ${agent}`, result, receivedAt: now, measuredMs: this.clock.monotonic() });
  }

  /** The status and the problems of an answer in JSON. */
  async ask(path: '/livez' | '/readyz' | '/healthz'): Promise<readonly [number, ...string[]]> {
    const response = await this.app.request(path);
    const { problems = [] } = (await response.json()) as { readonly problems?: readonly string[] };
    return [response.status, ...problems];
  }

  /** The page of a moment later, so that it is a new one. */
  async metrics(): Promise<string> {
    await this.clock.advance(1000);
    return await (await this.app.request('/metrics')).text();
  }
}
