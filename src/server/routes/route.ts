import { z } from 'zod';

/** One operation of the HTTP interface. Validation, the handler's types and OpenAPI derive from its schemas. */
export interface Route<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
> {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** With `{name}` for each parameter, as OpenAPI writes it. */
  readonly path: string;
  readonly summary: string;
  readonly params: Params;
  readonly query: Query;
  /** Absent where the request has none. */
  readonly body?: Body;
  readonly response: z.ZodType;
  /** Of the response; application/json if absent. */
  readonly mediaType?: string;
  readonly handle: (input: RouteInput<Params, Query, Body>) => Promise<unknown>;
}

export interface RouteInput<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> {
  readonly params: z.output<Params>;
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
}

const nothing = z.strictObject({});
type Nothing = typeof nothing;

type Definition<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> = Pick<
  Route<Params, Query, Body>,
  'method' | 'path' | 'summary' | 'response' | 'mediaType' | 'handle'
> & { readonly params?: Params; readonly query?: Query; readonly body?: Body };

export function defineRoute<
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(definition: Definition<Params, Query, Body>): Route {
  return { params: nothing, query: nothing, ...definition };
}
