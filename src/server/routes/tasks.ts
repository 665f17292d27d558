import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import type { ResultItem } from '../../core/entry.ts';
import { statuses } from '../../core/outcome.ts';
import type { Task } from '../../core/task.ts';
import type { AgentView } from '../fleet.ts';
import { findAgent } from './agents.ts';
import { defineRoute, type Route } from './route.ts';

export interface TasksPorts {
  tasks(): readonly (Task & { readonly agentId: string })[];
  agents(): readonly AgentView[];
  latest(taskId: string): ResultItem | undefined;
  /** Resolves when the agent has begun. @throws {AppError} unavailable, when it is not there or refuses */
  runNow(agentId: string, taskId: string): Promise<void>;
}

const time = z.iso.datetime();

export const resultSchema = z.strictObject({
  taskId: z.uuid(),
  monitorId: z.string(),
  status: z.enum(statuses),
  latencyMs: z.number().nullable(),
  metrics: z.record(z.string(), z.number()),
  detail: z.record(z.string(), z.unknown()),
  reason: z.string().nullable(),
  source: z.string().nullable(),
  message: z.string(),
  scheduledAt: time,
  startedAt: time,
  durationMs: z.number(),
});
export type ResultAnswer = z.output<typeof resultSchema>;

export const taskSchema = z.strictObject({
  id: z.uuid(),
  monitor: z.string(),
  agent: z.string(),
  type: z.string(),
  target: z.string(),
  intervalMs: z.int(),
  paused: z.boolean(),
  latest: resultSchema.nullable(),
});

export function tasksRoutes(ports: TasksPorts): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/tasks',
      summary: 'Every task: a monitor on an agent, with its latest result',
      query: z.strictObject({ agent: z.string().optional(), monitor: z.string().optional() }),
      response: z.strictObject({ tasks: z.array(taskSchema) }),
      async handle({ query }) {
        return { tasks: select(ports, query).map((task) => taskAnswer(task, ports)) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/monitors/{monitor}/run',
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

function taskAnswer(task: Task & { readonly agentId: string }, ports: TasksPorts): z.output<typeof taskSchema> {
  const { id, monitorName, agentId, type, target, intervalMs, paused } = task;
  const latest = ports.latest(id);
  const agent = ports.agents().find((view) => view.id === agentId)?.name ?? agentId;
  return {
    id,
    monitor: monitorName,
    agent,
    type,
    target,
    intervalMs,
    paused,
    latest: latest ? resultAnswer(latest) : null,
  };
}

export function resultAnswer({ kind: _kind, ...result }: ResultItem): ResultAnswer {
  const { latencyMs = null, reason = null, source = null, scheduledAt, startedAt } = result;
  return { ...result, latencyMs, reason, source, scheduledAt: iso(scheduledAt), startedAt: iso(startedAt) };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
