import { z } from 'zod';
import type { ErrorCode } from '../../core/errors.ts';
import type { Role } from '../store/accounts.ts';
import type { Principal } from './callers.ts';

/** One operation of the HTTP interface. Validation, the handler's types and OpenAPI derive from its schemas. */
export interface Route<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  /** What programs made from the OpenAPI document call it: `listAgents`. */
  readonly name: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** With `{name}` for each parameter, as OpenAPI writes it. */
  readonly path: string;
  readonly summary: string;
  readonly params: Params;
  readonly query: Query;
  /** Absent where the request has none. */
  readonly body?: Body;
  /** What OpenAPI says of the body where the server reads it by more than its schema. */
  readonly bodyDocument?: z.ZodType;
  readonly response: Answer;
  /** Of the response; application/json if absent. */
  readonly mediaType?: string;
  /** Who may ask, at least: absent, a viewer what reads and an admin what writes. */
  readonly allows?: Role | 'anybody';
  /** What may go wrong beside the request itself. */
  readonly errors: readonly Exclude<ErrorCode, 'usage' | 'internal'>[];
  /** Where the answer's new thing is, under /api/v1; then the status is 201. */
  locationOf?(answer: z.output<Answer>): string;
  readonly handle: (input: RouteInput<Params, Query, Body>) => Promise<unknown>;
}

export interface RouteInput<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> {
  readonly params: z.output<Params>;
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
  readonly request: Request;
  readonly caller: Principal;
  /** Where the request came from. */
  readonly address: string;
  /** The token of the sign-in of the caller, if it has one. */
  readonly signIn: string | undefined;
}

const nothing = z.strictObject({});
type Nothing = typeof nothing;

type Definition<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> = Omit<Route<Params, Query, Body, Answer>, 'params' | 'query'> & { readonly params?: Params; readonly query?: Query };

export function defineRoute<
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
  Answer extends z.ZodType = z.ZodType,
>(definition: Definition<Params, Query, Body, Answer>): Route {
  return { params: nothing, query: nothing, ...definition };
}
