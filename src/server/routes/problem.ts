import type { Context } from 'hono';
import { z } from 'zod';
import { AppError, type ErrorCode } from '../../core/errors.ts';

/** What can be wrong with a request before a route sees it. */
const requestFaults = {
  unauthorized: 401,
  forbidden: 403,
  'method-not-allowed': 405,
  'too-large': 413,
  'unsupported-media-type': 415,
  'too-many-requests': 429,
} as const;

/** The status of every code in the answers of the HTTP interface. */
export const statusOfCode = {
  usage: 400,
  'invalid-config': 400,
  'not-found': 404,
  conflict: 409,
  internal: 500,
  unavailable: 503,
  ...requestFaults,
} as const satisfies Record<ErrorCode, number>;
export type ProblemCode = keyof typeof statusOfCode;

// The keys are those of the record.
const codes = Object.keys(statusOfCode) as [ProblemCode, ...ProblemCode[]];

/** Names of statuses, RFC 9110 section 15. */
const titles: Readonly<Record<(typeof statusOfCode)[ProblemCode], string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export const problemType = 'application/problem+json';

/** RFC 9457, section 3. The `type` is about:blank: `code` tells problems of one status apart. */
export const problemSchema = z
  .strictObject({
    type: z.literal('about:blank'),
    title: z.string().meta({ description: 'The name of the status' }),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'A sentence for people: what was expected, what came, what to do' }),
    code: z.enum(codes).meta({ description: 'For programs: what kind of problem it is' }),
  })
  .meta({ id: 'Problem' });

interface Problem {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function problemResponse(context: Context, { code, detail, headers = {} }: Problem): Response {
  const status = statusOfCode[code];
  const body: z.output<typeof problemSchema> = {
    type: 'about:blank',
    title: titles[status],
    status,
    detail: shortened(detail),
    code,
  };
  return context.body(JSON.stringify(body), status, {
    'Content-Type': problemType,
    ...headers,
  });
}

/** It may quote what came. */
const maxDetailLength = 2000;

function shortened(detail: string): string {
  if (detail.length <= maxDetailLength) return detail;
  return `${detail.slice(0, maxDetailLength).toWellFormed()}… (${detail.length} characters)`;
}

/** A request that no route takes; thrown where it is found. */
export class RequestFault extends Error {
  override readonly name = 'RequestFault';
  readonly code: keyof typeof requestFaults;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: keyof typeof requestFaults, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** The answer to an error; undefined for one that is a fault of this server. */
export function problemOf(context: Context, error: unknown): Response | undefined {
  if (error instanceof RequestFault) {
    const { code, message: detail, headers } = error;
    return problemResponse(context, { code, detail, headers });
  }
  if (error instanceof AppError && error.code !== 'internal')
    return problemResponse(context, { code: error.code, detail: error.message });
  return undefined;
}
