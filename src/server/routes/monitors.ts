import { z } from 'zod';
import { findCheckType } from '../../checks/registry.ts';
import { formatDuration } from '../../core/duration.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { withoutSecrets } from '../../core/secrets.ts';
import type { BookEntry, MonitorBook } from '../monitors/monitor-book.ts';
import { defineRoute, type Route } from './route.ts';

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
  })
  .meta({ id: 'Monitor' });

const one = z.strictObject({ monitor: monitorSchema });

/** `bodyDocument` is what OpenAPI says of a definition; the book reads it. */
export function monitorsRoutes(book: MonitorBook, bodyDocument: z.ZodType): readonly Route[] {
  return [
    ...listRoutes(book),
    ...definitionRoutes(book, bodyDocument),
    pauseRoute(book, 'pause'),
    pauseRoute(book, 'resume'),
  ];
}

function listRoutes(book: MonitorBook): readonly Route[] {
  return [
    defineRoute({
      name: 'listMonitors',
      method: 'get',
      path: '/monitors',
      errors: [],
      summary: 'Every monitor; those of the configuration file can be read only',
      response: z.strictObject({ monitors: z.array(monitorSchema) }),
      handle: async () => ({ monitors: book.entries().map(monitorAnswer) }),
    }),
    defineRoute({
      name: 'getMonitor',
      method: 'get',
      path: '/monitors/{monitor}',
      errors: ['not-found'],
      summary: 'One monitor, by id or name',
      params: monitorParams,
      response: one,
      handle: async ({ params }) => ({ monitor: monitorAnswer(book.find(params.monitor)) }),
    }),
  ];
}

function definitionRoutes(book: MonitorBook, bodyDocument: z.ZodType): readonly Route[] {
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
      handle: async ({ body }) => ({ monitor: monitorAnswer(await book.create(body)) }),
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
      handle: async ({ params, body }) => ({ monitor: monitorAnswer(await book.change(params.monitor, body)) }),
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

function pauseRoute(book: MonitorBook, what: 'pause' | 'resume'): Route {
  return defineRoute({
    name: `${what}Monitor`,
    method: 'post',
    errors: ['not-found', 'conflict', 'unavailable'],
    path: `/monitors/{monitor}/${what}`,
    summary: what === 'pause' ? 'Stop the schedule of a monitor' : 'Go on with the schedule of a monitor',
    params: monitorParams,
    response: one,
    handle: async ({ params }) => ({ monitor: monitorAnswer(await book.pause(params.monitor, what === 'pause')) }),
  });
}

function monitorAnswer({ spec, origin }: BookEntry): z.output<typeof monitorSchema> {
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
  };
}
