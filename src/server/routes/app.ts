import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';
import { AppError, type ErrorCode } from '../../core/errors.ts';
import { openApiOf } from './openapi.ts';
import type { Route } from './route.ts';

const statusOf = {
  usage: 400,
  'invalid-config': 400,
  'not-found': 404,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;
const maxBodyBytes = 1024 * 1024;
const apiPrefix = '/api/v1';

interface AppParts {
  readonly routes: readonly Route[];
  /** What `Authorization: Bearer` must carry; undefined on the admin socket, where opening it is the proof. */
  readonly token: string | undefined;
  readonly version: string;
  /** A request has come with the token. */
  readonly onAuthorised?: ((request: IncomingMessage) => void) | undefined;
  /** For what is not our caller's fault: logged, and never shown to it. */
  readonly onInternalError: (error: unknown) => void;
}

/** The HTTP interface: every route under /api/v1, and its own description. */
export function createApp({ routes, token, version, onAuthorised, onInternalError }: AppParts): Hono {
  const app = new Hono();
  const api = new Hono();
  if (token !== undefined)
    api.use(async (context, next) => {
      if (!isAuthorised(context, token)) return unauthorised(context);
      const request = requestOf(context);
      if (request) onAuthorised?.(request);
      return await next();
    });
  api.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError(context) {
        // The rest of the body stays unread, so that nothing can follow it.
        context.header('Connection', 'close');
        return problem(context, { status: 413, code: 'usage', message: `expected at most ${maxBodyBytes} bytes` });
      },
    }),
  );
  const description = openApiOf(routes, { prefix: apiPrefix, version });
  api.get('/openapi.json', (context) => context.json(description));
  for (const route of routes) mount(api, route);
  app.route(apiPrefix, api);
  app.notFound((context) =>
    problem(context, {
      status: 404,
      code: 'not-found',
      message: `there is no ${context.req.method} ${context.req.path}`,
    }),
  );
  app.onError((error, context) => {
    if (error instanceof AppError && error.code !== 'internal')
      return problem(context, { status: statusOf[error.code], code: error.code, message: error.message });
    onInternalError(error);
    return problem(context, {
      status: 500,
      code: 'internal',
      message: 'this is a fault of the server; its log says more',
    });
  });
  return app;
}

function mount(api: Hono, route: Route): void {
  const path = route.path.replace(/\{(\w+)\}/g, ':$1');
  api.on(route.method.toUpperCase(), path, async (context) => {
    const input = {
      params: parsed(route.params, context.req.param(), 'path'),
      query: parsed(route.query, context.req.query(), 'query'),
      body: route.body ? parsed(route.body, await jsonOf(context), 'body') : undefined,
    };
    const answer = await route.handle(input);
    return answer instanceof Response ? answer : context.json(answer ?? {});
  });
}

/** @throws {AppError} usage, saying where */
function parsed(schema: z.ZodType, value: unknown, where: string): z.output<z.ZodObject> {
  const result = schema.safeParse(value);
  // Params and query are objects by their type, and a body is handed on as its own schema made it.
  if (result.success) return result.data as z.output<z.ZodObject>;
  const sentences = result.error.issues.map(({ path, message }) => `${[where, ...path].join('.')}: ${message}`);
  throw new AppError('usage', sentences.join('; '));
}

async function jsonOf(context: Context): Promise<unknown> {
  try {
    return await context.req.json();
  } catch (error) {
    throw new AppError('usage', `body: expected JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** Undefined in a test that asks the app without a server. */
function requestOf(context: Context): IncomingMessage | undefined {
  return (context.env as Partial<HttpBindings> | undefined)?.incoming;
}

function isAuthorised(context: Context, token: string): boolean {
  // RFC 9110, section 11.1: the name of a scheme has no case.
  const [, credentials] = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '') ?? [];
  if (credentials === undefined || token === '') return false;
  const given = Buffer.from(credentials);
  const expected = Buffer.from(token);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function unauthorised(context: Context): Response {
  context.header('WWW-Authenticate', 'Bearer');
  return problem(context, {
    status: 401,
    code: 'usage',
    message: 'expected Authorization: Bearer with the token of the file api-token in the data folder of the server',
  });
}

interface Problem {
  readonly status: 400 | 401 | 404 | 413 | 500 | 503;
  readonly code: ErrorCode;
  readonly message: string;
}

function problem(context: Context, { status, code, message }: Problem): Response {
  return context.json({ error: { code, message } }, status);
}
