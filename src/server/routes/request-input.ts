import type { Context } from 'hono';
import type { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { describeIssues } from '../../core/issues.ts';
import { hasAtMostLevels, hasKey, valuesIn } from '../../core/json-size.ts';
import { nearestWord } from '../../core/nearest.ts';
import { quoted } from '../../core/quoted.ts';
import { RequestFault } from './problem.ts';
import type { Route } from './route.ts';

/** Options of a check have five. */
const maxBodyLevels = 32;
/** A thousand agents, and options with their lists. */
const maxBodyValues = 10_000;
/** Mistakes told at once. */
const maxMistakes = 10;

type Input = Omit<Parameters<Route['handle']>[0], 'caller' | 'address' | 'signIn'>;

/** What a request gives to its route, parsed by the schemas of the route. @throws {AppError} usage. @throws {RequestFault} */
export async function readInput({ params, query, body }: Route, context: Context): Promise<Input> {
  return {
    params: parsed(params, context.req.param(), 'path parameter'),
    query: parsed(query, queryOf(context, Object.keys(query.shape)), 'query parameter'),
    body: body ? parsed(body, await jsonOf(context), 'body') : undefined,
    request: context.req.raw,
  };
}

/** @throws {AppError} usage, for a parameter that is unknown or given twice */
function queryOf(context: Context, known: readonly string[]): Readonly<Record<string, string>> {
  const given: Record<string, string> = {};
  for (const [name, value] of new URL(context.req.url).searchParams) {
    if (!known.includes(name)) throw new AppError('usage', unknownParameter(name, known));
    if (Object.hasOwn(given, name)) throw new AppError('usage', `query parameter ${name}: expected one, got several`);
    given[name] = value;
  }
  return given;
}

function unknownParameter(name: string, known: readonly string[]): string {
  const nearest = nearestWord(name, known);
  const all = known.length === 0 ? 'there are none here' : `there are: ${known.join(', ')}`;
  return `there is no query parameter ${quoted(name)}; ${nearest === undefined ? all : `did you mean ${nearest}?`}`;
}

function parsed(schema: z.ZodType, input: unknown, where: string): z.output<z.ZodObject> {
  const result = schema.safeParse(input);
  // Parameters are objects by their type, and a body is handed on as its own schema made it.
  if (result.success) return result.data as z.output<z.ZodObject>;
  const separator = where === 'body' ? '.' : ' ';
  const nameOf = (path: readonly PropertyKey[]): string => `${where}${separator}${path.map(String).join('.')}`;
  // A body of a megabyte may have a hundred thousand.
  const issues = result.error.issues.slice(0, maxMistakes);
  const sentences = describeIssues({ issues }, { input, nameOf });
  throw new AppError('usage', sentences.join('; '));
}

/** RFC 8259, section 8.1: JSON between systems is UTF-8; a byte order mark may be ignored. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws {RequestFault} */
function assertJson(context: Context): void {
  const [mediaType = '', ...parameters] = (context.req.header('content-type') ?? '').toLowerCase().split(';');
  const charset = parameters.map((parameter) => /^\s*charset="?([^"]*)"?\s*$/.exec(parameter)?.[1]).find(Boolean);
  const coding = context.req.header('content-encoding') ?? 'identity';
  if (mediaType.trim() !== 'application/json') throw unsupported('Content-Type: application/json', mediaType.trim());
  if (charset !== undefined && !/^utf-?8$/.test(charset)) throw unsupported('JSON in UTF-8', charset);
  if (coding.trim().toLowerCase() !== 'identity') throw unsupported('a body without Content-Encoding', coding);
}

/** RFC 9110, section 15.5.16. */
function unsupported(expected: string, got: string): RequestFault {
  const detail = `expected ${expected}, got ${got === '' ? 'none' : quoted(got)}`;
  const headers = { Accept: 'application/json', 'Accept-Encoding': 'identity' };
  return new RequestFault('unsupported-media-type', detail, headers);
}

async function jsonOf(context: Context): Promise<unknown> {
  assertJson(context);
  let body: unknown;
  try {
    body = JSON.parse(utf8.decode(await context.req.arrayBuffer()));
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : 'it is no text in UTF-8';
    throw new AppError('usage', `body: expected JSON: ${why}`, { cause: error });
  }
  if (!hasAtMostLevels(maxBodyLevels, body))
    throw new AppError('usage', `body: expected at most ${maxBodyLevels} levels of lists and mappings`);
  // What reads mappings here would pass over it.
  if (hasKey('__proto__', body)) throw new AppError('usage', 'body: there is no such key: "__proto__"');
  const values = valuesIn(body);
  if (values <= maxBodyValues) return body;
  throw new AppError('usage', `body: expected at most ${maxBodyValues} values, got ${values}`);
}
