import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Audit } from './audit.ts';
import {
  adminSocket,
  bearerOf,
  isAtLeast,
  isWriting,
  refuseForeignPages,
  requestOf,
  type Principal,
  type Callers,
} from './callers.ts';
import { openApiOf } from './openapi.ts';
import { problemOf, problemResponse, RequestFault } from './problem.ts';
import { readInput } from './request-input.ts';
import type { Route } from './route.ts';

const maxBodyBytes = 1024 * 1024;
const apiPrefix = '/api/v1';

interface AppParts {
  readonly routes: readonly Route[];
  /** Tells who asks; undefined on the admin socket, where opening it is the proof. */
  readonly callers: Callers | undefined;
  readonly version: string;
  /** Told of each change and each failed login. */
  readonly audit: Audit;
  /** For what is not our caller's fault: logged, and never shown to it. */
  readonly onInternalError: (error: unknown) => void;
}

/** The HTTP interface: every route under /api/v1, and its own description. */
export function createApp({ routes, callers, version, audit, onInternalError }: AppParts): Hono {
  const app = new Hono();
  // What is answered is for this caller and this moment, and is what its Content-Type says.
  app.use(async (context, next) => {
    await next();
    if (!context.res.headers.has('Cache-Control')) context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
  });
  const api = new Hono<Known>();
  api.use(knowing({ callers, audit, open: openPaths(routes) }));
  api.use(auditing(audit));
  api.use(limitedBody());
  const description = JSON.stringify(openApiOf(routes, { prefix: apiPrefix, version }));
  api.get('/openapi.json', (context) => context.body(description, 200, { 'Content-Type': 'application/json' }));
  for (const route of routes) mount(api, route, callers);
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

/** What is known of a request once its caller is: undefined for a route that anybody may ask. */
interface Known {
  Variables: { caller: Principal | undefined };
}

interface Knowing {
  readonly callers: Callers | undefined;
  readonly audit: Audit;
  /** `POST /api/v1/sign-in` */
  readonly open: ReadonlySet<string>;
}

function openPaths(routes: readonly Route[]): ReadonlySet<string> {
  const open = routes.filter(({ allows }) => allows === 'anybody');
  return new Set(open.map(({ method, path }) => `${method.toUpperCase()} ${apiPrefix}${path}`));
}

/** Finds out who asks, and refuses whoever has no proof and what a foreign page asks of a browser. */
function knowing({ callers, audit, open }: Knowing): MiddlewareHandler<Known> {
  return async (context, next) => {
    if (callers === undefined) {
      context.set('caller', adminSocket);
      return await next();
    }
    const { caller, hadProof } = callers.of(context);
    const isOpen = open.has(`${context.req.method} ${context.req.path}`);
    if (isWriting(context) && (isOpen || caller?.person)) refuseForeignPages(context);
    if (!caller && !isOpen) {
      audit.failedLogin(requestOf(context), hadProof);
      return unauthorised(context, bearerOf(context));
    }
    context.set('caller', caller);
    return await next();
  };
}

/** Tells of every request that may have changed something, with what became of it. */
function auditing(audit: Audit): MiddlewareHandler<Known> {
  return async (context, next) => {
    await next();
    if (!isWriting(context)) return;
    const { method, path } = context.req;
    const caller = context.get('caller');
    const request = caller === adminSocket ? undefined : requestOf(context);
    audit.write(caller?.who ?? 'nobody yet', request, { method, path, status: context.res.status });
  };
}

const nobody: Principal = { who: 'nobody', role: 'viewer' };

/** @throws {RequestFault} forbidden */
function refuseLesser(
  { method, allows = method === 'get' ? 'viewer' : 'admin' }: Route,
  { who, role }: Principal,
): void {
  if (allows === 'anybody' || isAtLeast(role, allows)) return;
  throw new RequestFault('forbidden', `this asks for the role ${allows}, and ${who} has ${role}`);
}

function mount(api: Hono<Known>, route: Route, callers: Callers | undefined): void {
  const { mediaType } = route;
  api.on(route.method.toUpperCase(), honoPath(route.path), async (context) => {
    // A stream that nobody reads would never end.
    if (mediaType !== undefined && context.req.raw.method === 'HEAD')
      return context.body(null, 200, { 'Content-Type': mediaType });
    const caller = context.get('caller') ?? nobody;
    refuseLesser(route, caller);
    const from = { caller, address: callers?.address(context) ?? 'this machine', signIn: callers?.signIn(context) };
    const input = await readInput(route, context);
    const answer = await route.handle({ ...input, body: inOwnName(input.body, caller), ...from });
    if (answer instanceof Response) return answer;
    const location = route.locationOf?.(answer);
    if (location === undefined) return context.json(answer ?? {});
    return context.json(answer, 201, { Location: apiPrefix + location });
  });
}

/** Whoever is signed in speaks for nobody else: `by` in a body is the person who asks. */
function inOwnName(body: unknown, { person }: Principal): unknown {
  if (!person || typeof body !== 'object' || body === null || !('by' in body)) return body;
  return { ...body, by: person.name };
}

function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

/** Paths that exist answer other methods with 405 and those that they take; the routes are mounted before. */
function refuseOtherMethods(api: Hono<Known>, routes: readonly Route[]): void {
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

/** RFC 6750, section 3: `error` only where a token came. */
function unauthorised(context: Context, credentials: string | undefined): Response {
  return problemResponse(context, {
    code: 'unauthorized',
    detail: 'expected Authorization: Bearer with the token of the file api-token in the data folder of the server',
    headers: { 'WWW-Authenticate': credentials === undefined ? 'Bearer' : 'Bearer error="invalid_token"' },
  });
}
