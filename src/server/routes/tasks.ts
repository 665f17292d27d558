import { z } from 'zod';
import type { ReceivedResult } from '../../core/entry.ts';
import { isoTimeOf, isoTimeOrNull, isoTimeSchema } from '../../core/iso-time.ts';
import { statuses } from '../../core/outcome.ts';
import type { Task } from '../../core/task.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { TaskState } from '../fleet/task-states.ts';
import type { WantedTask } from '../fleet/task-table.ts';
import { findAgent } from './agents.ts';
import { listParameter, wholeParameter } from './parameters.ts';
import { defineRoute, type Route } from './route.ts';

/** From which tasks are chosen by the names or ids of agent and monitor. */
export interface TaskSelectionPorts {
  wanted(): readonly WantedTask[];
  agents(): readonly AgentView[];
  /** @throws {AppError} not-found */
  assertMonitor(idOrName: string): void;
}

export interface TasksPorts extends TaskSelectionPorts {
  latest(taskId: string): ReceivedResult | undefined;
  stateOf(wanted: WantedTask): TaskState;
}

/** In a path or query. */
export const taskId = z.uuid({ error: 'expected the id of a task (a UUID)' }).toLowerCase();

export const resultSchema = z
  .strictObject({
    taskId: z.uuid(),
    monitorId: z.string(),
    status: z.enum(statuses),
    latencyMs: z.number().nullable(),
    metrics: z.record(z.string(), z.number()),
    detail: z.record(z.string(), z.unknown()),
    reason: z.string().nullable(),
    source: z.string().nullable(),
    message: z.string(),
    scheduledAt: isoTimeSchema,
    startedAt: isoTimeSchema,
    durationMs: z.number(),
    receivedAt: isoTimeSchema
      .nullable()
      .meta({ description: "When this server received it, by its own clock; the other times are the agent's" }),
    clockOffsetMs: z
      .number()
      .nullable()
      .meta({ description: "The agent's clock minus this server's when it was received" }),
  })
  .meta({ id: 'Result' });
export type ResultAnswer = z.output<typeof resultSchema>;

/** What a task does; its options may hold secrets and are not told. */
export const taskSummarySchema = z
  .strictObject({
    id: z.uuid(),
    monitor: z.string(),
    type: z.string(),
    target: z.string(),
    intervalMs: z.int(),
    paused: z.boolean(),
  })
  .meta({ id: 'TaskSummary' });

type TaskSummary = z.output<typeof taskSummarySchema>;

export const taskSchema = z
  .strictObject({
    ...taskSummarySchema.shape,
    agent: z.string(),
    state: z.enum(statuses).meta({
      description: 'What is known of the target now: unknown while it is paused, its agent is away, or no results come',
    }),
    stateSince: isoTimeSchema
      .nullable()
      .meta({ description: 'Null if it has been so since the server started, or longer' }),
    latest: resultSchema.nullable(),
  })
  .meta({ id: 'Task' });

/** In a query: `down,degraded`. */
export const statesParameter = listParameter(statuses, 'states').optional();

export function tasksRoutes(ports: TasksPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listTasks',
      method: 'get',
      path: '/tasks',
      errors: ['not-found'],
      summary: 'Every task: a monitor on an agent, with its state and its latest result, by id where a limit is given',
      query: z.strictObject({
        agent: z.string().optional(),
        monitor: z.string().optional(),
        state: statesParameter,
        limit: wholeParameter(1, 100_000).optional(),
        after: taskId.optional().meta({ description: 'The last id of the page before' }),
      }),
      response: z.strictObject({ tasks: z.array(taskSchema), more: z.boolean() }),
      async handle({ query }) {
        const names = namesOf(ports.agents());
        const { state: states } = query;
        const chosen = selectTasks(ports, query).filter(
          (wanted) => !states || states.includes(ports.stateOf(wanted).state),
        );
        const { tasks, more } = pageOf(chosen, query);
        return { tasks: tasks.map((wanted) => taskAnswer(wanted, names, ports)), more };
      },
    }),
  ];
}

export function namesOf(agents: readonly AgentView[]): ReadonlyMap<string, string> {
  return new Map(agents.map(({ id, name }) => [id, name]));
}

interface Selection {
  readonly agent?: string | undefined;
  readonly monitor?: string | undefined;
}

/** @throws {AppError} not-found, for an agent or a monitor that there is not */
export function selectTasks(ports: TaskSelectionPorts, { agent, monitor }: Selection): readonly WantedTask[] {
  const agentId = agent === undefined ? undefined : findAgent(ports.agents(), agent).id;
  if (monitor !== undefined) ports.assertMonitor(monitor);
  return ports
    .wanted()
    .filter(
      ({ task }) =>
        (agentId === undefined || task.agentId === agentId) &&
        (monitor === undefined || task.monitorId === monitor || task.monitorName === monitor),
    );
}

interface Page {
  readonly limit?: number | undefined;
  /** The last id of the page before. */
  readonly after?: string | undefined;
}

function pageOf(
  tasks: readonly WantedTask[],
  { limit, after = '' }: Page,
): { readonly tasks: readonly WantedTask[]; readonly more: boolean } {
  if (limit === undefined && after === '') return { tasks, more: false };
  const inOrder = tasks.filter(({ task }) => task.id > after).toSorted((a, b) => (a.task.id < b.task.id ? -1 : 1));
  const page = inOrder.slice(0, limit);
  return { tasks: page, more: page.length < inOrder.length };
}

export function taskAnswer(
  wanted: WantedTask,
  names: ReadonlyMap<string, string>,
  ports: Pick<TasksPorts, 'latest' | 'stateOf'>,
): z.output<typeof taskSchema> {
  const { task } = wanted;
  const { state, since } = ports.stateOf(wanted);
  const latest = ports.latest(task.id);
  return {
    ...taskSummary(task),
    agent: names.get(task.agentId) ?? task.agentId,
    state,
    stateSince: isoTimeOrNull(since),
    latest: latest ? resultAnswer(latest) : null,
  };
}

export function taskSummary({ id, monitorName, type, target, intervalMs, paused }: Task): TaskSummary {
  return { id, monitor: monitorName, type, target, intervalMs, paused };
}

export function resultAnswer({ kind: _kind, ...result }: ReceivedResult): ResultAnswer {
  const { latencyMs = null, reason = null, source = null, clockOffsetMs = null } = result;
  return {
    ...result,
    latencyMs,
    reason,
    source,
    clockOffsetMs,
    scheduledAt: isoTimeOf(result.scheduledAt),
    startedAt: isoTimeOf(result.startedAt),
    receivedAt: result.receivedAt === undefined ? null : isoTimeOf(result.receivedAt),
  };
}
