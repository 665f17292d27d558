import { statusOf, type HttpResponse } from '../../net/http/http.ts';
import { compileAssertion } from './json-assertion.ts';
import { parseJson } from './json-document.ts';
import { firstUnmatched } from './matching.ts';
import type { HttpOptions } from './options.ts';

/** Why a response is not what was asked for: what was expected, and what came. Undefined if it is. */
export function disappointment(response: HttpResponse, options: HttpOptions): string | undefined {
  const { status } = response;
  if (!options.status.some((range) => contains(range, status)))
    return `Expected status ${options.status.join(', ')}, got ${statusOf(response)}`;
  return headerMismatch(response, options) ?? bodyMismatch(response, options);
}

function contains(range: string, status: number): boolean {
  const [low, high = low] = range.split('-').map(Number);
  // A range has one or two numbers: the schema's pattern.
  return status >= low! && status <= high!;
}

function headerMismatch({ headers }: HttpResponse, { responseHeaders }: HttpOptions): string | undefined {
  for (const [name, text] of Object.entries(responseHeaders)) {
    const value = headers.get(name);
    if (value === undefined) return `Expected a header ${name} with ${shown(text)}, got none`;
    if (!value.includes(text)) return `Expected ${shown(text)} in the header ${name}, got ${shown(value)}`;
  }
  return undefined;
}

function bodyMismatch({ body }: HttpResponse, options: HttpOptions): string | undefined {
  const { contains, notContains, matches, jsonPath } = options;
  if (contains.length + notContains.length + matches.length + jsonPath.length === 0) return undefined;
  const text = body.toString();
  const missing = contains.find((wanted) => !text.includes(wanted));
  if (missing !== undefined) return `Expected ${shown(missing)} in the body, got ${shown(text)}`;
  const unwanted = notContains.find((banned) => text.includes(banned));
  if (unwanted !== undefined) return `Expected no ${shown(unwanted)} in the body, got ${around(text, unwanted)}`;
  const unmatched = firstUnmatched(text, matches);
  if (unmatched !== undefined) return `Expected a body that matches ${unmatched}, got ${shown(text)}`;
  return jsonPath.length === 0 ? undefined : jsonMismatch(text, jsonPath);
}

function jsonMismatch(text: string, assertions: readonly string[]): string | undefined {
  const document = attempt(() => parseJson(text));
  if (document instanceof Error) return `Expected JSON, got ${shown(text)}: ${document.message}`;
  for (const assertion of assertions) {
    const compiled = compileAssertion(assertion);
    const holds = attempt(() => compiled.holds(document));
    if (holds instanceof Error)
      return `Expected ${assertion}, got a document that cannot be searched: ${holds.message}`;
    if (!holds) return `Expected ${assertion}, got ${compiled.found(document).slice(0, maxShownLength)}`;
  }
  return undefined;
}

function attempt<Value>(work: () => Value): Value | Error {
  try {
    return work();
  } catch (error) {
    // What parsing and searching throw are errors.
    return error as Error;
  }
}

const maxShownLength = 200;

/** Quoted, so that control characters are escaped, and short. */
export function shown(text: string): string {
  return JSON.stringify(text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text);
}

function around(text: string, found: string): string {
  const at = Math.max(0, text.indexOf(found) - 40);
  return shown(text.slice(at, at + maxShownLength));
}
