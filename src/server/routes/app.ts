import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Audit } from './audit.ts';
import { openApiOf } from './openapi.ts';
import { problemOf, problemResponse, RequestFault } from './problem.ts';
import { readInput } from './request-input.ts';
import type { Route } from './route.ts';

const maxBodyBytes = 1024 * 1024;
const apiPrefix = '/api/v1';

interface AppParts {
  readonly routes: readonly Route[];
  /** What `Authorization: Bearer` must carry; undefined on the admin socket, where opening it is the proof. */
  readonly token: string | undefined;
  readonly version: string;
  /** A request has come with the token. */
  readonly onAuthorised?: ((request: IncomingMessage) => void) | undefined;
  /** Told of each change and each failed login. */
  readonly audit: Audit;
  /** For what is not our caller's fault: logged, and never shown to it. */
  readonly onInternalError: (error: unknown) => void;
}

/** The HTTP interface: every route under /api/v1, and its own description. */
export function createApp({ routes, token, version, onAuthorised, audit, onInternalError }: AppParts): Hono {
  const app = new Hono();
  // What is answered is for this caller and this moment, and is what its Content-Type says.
  app.use(async (context, next) => {
    await next();
    context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
  });
  const api = new Hono();
  if (token !== undefined)
    api.use(async (context, next) => {
      const credentials = bearerOf(context);
      const request = requestOf(context);
      if (credentials === undefined || !isSame(credentials, token)) {
        audit.failedLogin(request, credentials !== undefined);
        return unauthorised(context, credentials);
      }
      if (request) onAuthorised?.(request);
      return await next();
    });
  api.use(auditing(audit, token === undefined ? 'admin socket' : 'api-token'));
  api.use(limitedBody());
  const description = JSON.stringify(openApiOf(routes, { prefix: apiPrefix, version }));
  api.get('/openapi.json', (context) => context.body(description, 200, { 'Content-Type': 'application/json' }));
  for (const route of routes) mount(api, route);
  refuseOtherMethods(api, routes);
  app.route(apiPrefix, api);
  app.notFound((context) =>
    problemResponse(context, {
      code: 'not-found',
      detail: `there is no ${context.req.path}; ${apiPrefix}/openapi.json lists what there is`,
    }),
  );
  app.onError((error, context) => {
    const answer = problemOf(context, error);
    if (answer) return answer;
    onInternalError(error);
    return problemResponse(context, { code: 'internal', detail: 'this is a fault of the server; its log says more' });
  });
  return app;
}

function limitedBody(): MiddlewareHandler {
  return bodyLimit({
    maxSize: maxBodyBytes,
    onError: (context) =>
      problemResponse(context, {
        code: 'too-large',
        detail: `expected at most ${maxBodyBytes} bytes`,
        // The rest of the body stays unread, so that nothing can follow it.
        headers: { Connection: 'close' },
      }),
  });
}

const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Tells of every request that may have changed something, with what became of it. */
function auditing(audit: Audit, who: string): MiddlewareHandler {
  return async (context, next) => {
    await next();
    const { method, path } = context.req;
    if (readingMethods.has(method)) return;
    const request = who === 'admin socket' ? undefined : requestOf(context);
    audit.write(who, request, { method, path, status: context.res.status });
  };
}

function mount(api: Hono, route: Route): void {
  const { mediaType } = route;
  api.on(route.method.toUpperCase(), honoPath(route.path), async (context) => {
    // A stream that nobody reads would never end.
    if (mediaType !== undefined && context.req.raw.method === 'HEAD')
      return context.body(null, 200, { 'Content-Type': mediaType });
    const answer = await route.handle(await readInput(route, context));
    if (answer instanceof Response) return answer;
    const location = route.locationOf?.(answer);
    if (location === undefined) return context.json(answer ?? {});
    return context.json(answer, 201, { Location: apiPrefix + location });
  });
}

function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

/** Paths that exist answer other methods with 405 and those that they take; the routes are mounted before. */
function refuseOtherMethods(api: Hono, routes: readonly Route[]): void {
  const methodsByPath = new Map([['/openapi.json', ['GET', 'HEAD']]]);
  for (const { method, path } of routes) {
    const methods = methodsByPath.getOrInsert(honoPath(path), []);
    methods.push(...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  }
  for (const [path, methods] of methodsByPath)
    api.all(path, ({ req: { method, path: asked } }) => {
      const allowed = methods.join(', ');
      throw new RequestFault('method-not-allowed', `${asked} takes ${allowed}, got ${method}`, { Allow: allowed });
    });
}

/** Undefined in a test that asks the app without a server. */
function requestOf(context: Context): IncomingMessage | undefined {
  return (context.env as Partial<HttpBindings> | undefined)?.incoming;
}

/** The token of the request (RFC 6750, section 2.1); undefined if it has none. The name of a scheme has no case (RFC 9110, section 11.1). */
function bearerOf(context: Context): string | undefined {
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(context.req.header('authorization') ?? '')?.[1];
}

/** Takes as long for a token that is nearly right. An empty token is nobody's. */
function isSame(credentials: string, token: string): boolean {
  const given = Buffer.from(credentials);
  const expected = Buffer.from(token);
  return token !== '' && given.length === expected.length && timingSafeEqual(given, expected);
}

/** RFC 6750, section 3: `error` only where a token came. */
function unauthorised(context: Context, credentials: string | undefined): Response {
  return problemResponse(context, {
    code: 'unauthorized',
    detail: 'expected Authorization: Bearer with the token of the file api-token in the data folder of the server',
    headers: { 'WWW-Authenticate': credentials === undefined ? 'Bearer' : 'Bearer error="invalid_token"' },
  });
}
