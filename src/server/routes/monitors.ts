import { z } from 'zod';
import { findCheckType } from '../../checks/registry.ts';
import { formatDuration } from '../../core/duration.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { withoutSecrets } from '../../core/secrets.ts';
import type { BookEntry, MonitorBook } from '../monitors/monitor-book.ts';
import type { TaskState } from '../fleet/task-states.ts';
import type { WantedTask } from '../fleet/task-table.ts';
import { defineRoute, type Route } from './route.ts';
import { selectTasks, statesParameter, type TaskSelectionPorts } from './tasks.ts';

const monitorParams = z.strictObject({ monitor: z.string() });

/** As in the configuration file; the server's reader of monitors says what is wrong with it. */
const definition = z.record(z.string(), z.unknown()) as unknown as z.ZodType<JsonObject>;

export const monitorSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    origin: z.enum(['file', 'api']),
    type: z.string(),
    target: z.string(),
    options: z.record(z.string(), z.unknown()),
    interval: z.string(),
    timeout: z.string(),
    agents: z.array(z.string()).nullable(),
    paused: z.boolean(),
    states: z
      .strictObject({ up: z.int(), degraded: z.int(), down: z.int(), unknown: z.int() })
      .meta({ description: 'How many agents say what of it now' }),
  })
  .meta({ id: 'Monitor' });

const one = z.strictObject({ monitor: monitorSchema });

export interface MonitorsPorts extends TaskSelectionPorts {
  readonly book: MonitorBook;
  stateOf(wanted: WantedTask): TaskState;
  /** What OpenAPI says of a definition; the book reads it. */
  readonly bodyDocument: z.ZodType;
}

export function monitorsRoutes(ports: MonitorsPorts): readonly Route[] {
  return [...listRoutes(ports), ...definitionRoutes(ports), pauseRoute(ports, 'pause'), pauseRoute(ports, 'resume')];
}

function listRoutes(ports: MonitorsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listMonitors',
      method: 'get',
      path: '/monitors',
      errors: ['not-found'],
      summary: 'Every monitor, or those that an agent runs, or of which an agent says one of these states',
      query: z.strictObject({ agent: z.string().optional(), state: statesParameter }),
      response: z.strictObject({ monitors: z.array(monitorSchema) }),
      async handle({ query: { agent, state: states } }) {
        const tasks = Map.groupBy(selectTasks(ports, { agent }), ({ task }) => task.monitorId);
        const monitors = ports.book
          .entries()
          .filter(({ spec }) => agent === undefined || tasks.has(spec.id))
          .map((entry) => monitorAnswer(entry, tasks.get(entry.spec.id) ?? [], ports))
          .filter((monitor) => !states || states.some((state) => monitor.states[state] > 0));
        return { monitors };
      },
    }),
    defineRoute({
      name: 'getMonitor',
      method: 'get',
      path: '/monitors/{monitor}',
      errors: ['not-found'],
      summary: 'One monitor, by id or name',
      params: monitorParams,
      response: one,
      handle: async ({ params }) => answerOf(ports.book.find(params.monitor), ports),
    }),
  ];
}

function definitionRoutes(ports: MonitorsPorts): readonly Route[] {
  const { book, bodyDocument } = ports;
  return [
    defineRoute({
      name: 'createMonitor',
      method: 'post',
      path: '/monitors',
      errors: ['conflict', 'unavailable'],
      summary: 'Make a monitor, written as in the configuration file',
      body: definition,
      bodyDocument,
      response: one,
      locationOf: ({ monitor: { id } }) => `/monitors/${id}`,
      handle: async ({ body }) => answerOf(await book.create(body), ports),
    }),
    defineRoute({
      name: 'replaceMonitor',
      method: 'put',
      path: '/monitors/{monitor}',
      errors: ['not-found', 'conflict', 'unavailable'],
      summary: 'Replace a monitor that was made here',
      params: monitorParams,
      body: definition,
      bodyDocument,
      response: one,
      handle: async ({ params, body }) => answerOf(await book.change(params.monitor, body), ports),
    }),
    defineRoute({
      name: 'deleteMonitor',
      method: 'delete',
      path: '/monitors/{monitor}',
      errors: ['not-found', 'conflict', 'unavailable'],
      summary: 'Delete a monitor that was made here; its results stay until retention drops them',
      params: monitorParams,
      response: z.strictObject({}),
      handle: async ({ params }) => await book.remove(params.monitor),
    }),
  ];
}

function pauseRoute(ports: MonitorsPorts, what: 'pause' | 'resume'): Route {
  return defineRoute({
    name: `${what}Monitor`,
    allows: 'operator',
    method: 'post',
    errors: ['not-found', 'conflict', 'unavailable'],
    path: `/monitors/{monitor}/${what}`,
    summary: what === 'pause' ? 'Stop the schedule of a monitor' : 'Go on with the schedule of a monitor',
    params: monitorParams,
    response: one,
    handle: async ({ params }) => answerOf(await ports.book.pause(params.monitor, what === 'pause'), ports),
  });
}

function answerOf(entry: BookEntry, ports: MonitorsPorts): { readonly monitor: z.output<typeof monitorSchema> } {
  const tasks = selectTasks(ports, { monitor: entry.spec.id });
  return { monitor: monitorAnswer(entry, tasks, ports) };
}

function monitorAnswer(
  { spec, origin }: BookEntry,
  tasks: readonly WantedTask[],
  { stateOf }: Pick<MonitorsPorts, 'stateOf'>,
): z.output<typeof monitorSchema> {
  const states = { up: 0, degraded: 0, down: 0, unknown: 0 };
  for (const wanted of tasks) states[stateOf(wanted).state]++;
  const { id, name, type, target, options, intervalMs, timeoutMs, agents, paused, secrets = [] } = spec;
  const check = findCheckType(type);
  return {
    id,
    name,
    origin,
    type,
    target,
    options: check ? withoutSecrets(check.options, options, secrets) : {},
    interval: formatDuration(intervalMs),
    timeout: formatDuration(timeoutMs),
    agents: agents ? [...agents] : null,
    paused,
    states,
  };
}
