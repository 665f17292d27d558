import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import type { ResultItem } from '../../core/entry.ts';
import { isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { statuses } from '../../core/outcome.ts';
import type { Task } from '../../core/task.ts';
import type { AgentView } from '../fleet/fleet.ts';
import { findAgent } from './agents.ts';
import { defineRoute, type Route } from './route.ts';

export interface TasksPorts {
  tasks(): readonly (Task & { readonly agentId: string })[];
  agents(): readonly AgentView[];
  latest(taskId: string): ResultItem | undefined;
  /** Resolves when the agent has begun. @throws {AppError} unavailable, when it is not there or refuses */
  runNow(agentId: string, taskId: string): Promise<void>;
}

/** In a path or query. */
export const taskId = z.uuid({ error: 'expected the id of a task (a UUID)' });

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
    latest: resultSchema.nullable(),
  })
  .meta({ id: 'Task' });

export function tasksRoutes(ports: TasksPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listTasks',
      method: 'get',
      path: '/tasks',
      errors: ['not-found'],
      summary: 'Every task: a monitor on an agent, with its latest result; by id and after one, where a limit is given',
      query: z.strictObject({
        agent: z.string().optional(),
        monitor: z.string().optional(),
        limit: z.coerce.number().int().min(1).max(100_000).optional(),
        after: taskId.optional(),
      }),
      response: z.strictObject({ tasks: z.array(taskSchema) }),
      async handle({ query }) {
        const names = new Map(ports.agents().map(({ id, name }) => [id, name]));
        const tasks = pageOf(select(ports, query), query);
        return { tasks: tasks.map((task) => taskAnswer(task, ports.latest(task.id), names)) };
      },
    }),
    defineRoute({
      name: 'runMonitor',
      method: 'post',
      path: '/monitors/{monitor}/run',
      errors: ['not-found', 'unavailable'],
      summary: 'Run a monitor once, now, on one agent or on all that have it',
      params: z.strictObject({ monitor: z.string() }),
      query: z.strictObject({ agent: z.string().optional() }),
      response: z.strictObject({ tasks: z.array(z.uuid()) }),
      async handle({ params, query }) {
        const tasks = select(ports, { ...query, monitor: params.monitor });
        if (tasks.length === 0)
          throw new AppError('not-found', `no agent has a task of monitor ${JSON.stringify(params.monitor)}`);
        await Promise.all(tasks.map(({ agentId, id }) => ports.runNow(agentId, id)));
        return { tasks: tasks.map(({ id }) => id) };
      },
    }),
  ];
}

interface Selection {
  readonly agent?: string | undefined;
  readonly monitor?: string | undefined;
}

function select(ports: TasksPorts, { agent, monitor }: Selection): readonly (Task & { readonly agentId: string })[] {
  const agentId = agent === undefined ? undefined : findAgent(ports.agents(), agent).id;
  const isWanted = (task: Task & { readonly agentId: string }): boolean =>
    (agentId === undefined || task.agentId === agentId) &&
    (monitor === undefined || task.monitorId === monitor || task.monitorName === monitor);
  return ports.tasks().filter(isWanted);
}

interface Page {
  readonly limit?: number | undefined;
  /** The last id of the page before. */
  readonly after?: string | undefined;
}

function pageOf<T extends Pick<Task, 'id'>>(tasks: readonly T[], { limit, after = '' }: Page): readonly T[] {
  if (limit === undefined && after === '') return tasks;
  const inOrder = tasks.filter(({ id }) => id > after).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return inOrder.slice(0, limit);
}

function taskAnswer(
  task: Task & { readonly agentId: string },
  latest: ResultItem | undefined,
  names: ReadonlyMap<string, string>,
): z.output<typeof taskSchema> {
  const agent = names.get(task.agentId) ?? task.agentId;
  return { ...taskSummary(task), agent, latest: latest ? resultAnswer(latest) : null };
}

export function taskSummary({ id, monitorName, type, target, intervalMs, paused }: Task): TaskSummary {
  return { id, monitor: monitorName, type, target, intervalMs, paused };
}

export function resultAnswer({ kind: _kind, ...result }: ResultItem): ResultAnswer {
  const { latencyMs = null, reason = null, source = null, scheduledAt, startedAt } = result;
  return { ...result, latencyMs, reason, source, scheduledAt: isoTimeOf(scheduledAt), startedAt: isoTimeOf(startedAt) };
}
