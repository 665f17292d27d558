import { Failure } from '../../core/failure.ts';
import { PatternSearch } from '../../core/matching.ts';
import { quoted } from '../../core/quoted.ts';
import { statusOf, type HttpResponse } from '../../net/http/http.ts';
import { compileAssertion } from './json-assertion.ts';
import { parseJson } from './json-document.ts';
import { isWithin, type HttpOptions } from './options.ts';

/** The text of a body, as far as it was read. */
export interface BodyText {
  readonly text: string;
  /** False if the body is longer than `maxBodyBytes`. */
  readonly isWhole: boolean;
}

/**
 * Says what was expected of status and headers, and what came; undefined if there is no mismatch.
 * @throws {Failure} too-large, `unknown`: a header is too long for all of these patterns
 */
export function headMismatch(response: HttpResponse, options: HttpOptions): string | undefined {
  const { status } = response;
  if (!options.status.some((range) => isWithin(range, status)))
    return `Expected status ${options.status.join(', ')}, got ${statusOf(response)}`;
  for (const [name, text] of Object.entries(options.responseHeaders)) {
    const mistake = headerMistake(response, name, { what: quoted(text), holds: (value) => value.includes(text) });
    if (mistake !== undefined) return mistake;
  }
  return headerPatternMismatch(response, options);
}

function headerPatternMismatch(response: HttpResponse, options: HttpOptions): string | undefined {
  const { responseHeadersMatch: wanted, responseHeadersNotMatch: banned } = options;
  const patterns = [...Object.values(wanted), ...Object.values(banned)];
  const finds = (name: string, value: string, pattern: string): boolean => {
    const search = new PatternSearch(value, patterns);
    if (search.find(pattern) !== undefined) return true;
    if (search.text.length === value.length) return false;
    const message = `Only the first ${search.text.length} characters of the header ${name} were searched for ${pattern}.`;
    throw new Failure('too-large', message, { as: { status: 'unknown', source: 'agent' } });
  };
  for (const [name, pattern] of Object.entries(wanted)) {
    const holds = (value: string): boolean => finds(name, value, pattern);
    const mistake = headerMistake(response, name, { what: `a match of ${pattern}`, holds });
    if (mistake !== undefined) return mistake;
  }
  for (const [name, pattern] of Object.entries(banned)) {
    const value = response.headers.get(name);
    if (value !== undefined && finds(name, value, pattern))
      return `Expected no match of ${pattern} in the header ${name}, got ${quoted(value)}`;
  }
  return undefined;
}

interface HeaderTest {
  readonly what: string;
  readonly holds: (value: string) => boolean;
}

function headerMistake({ headers }: HttpResponse, name: string, { what, holds }: HeaderTest): string | undefined {
  const value = headers.get(name);
  if (value === undefined) return `Expected a header ${name} with ${what}, got none`;
  return holds(value) ? undefined : `Expected ${what} in the header ${name}, got ${quoted(value)}`;
}

/** Whether an option asks for the body. */
export function readsBody({ contains, notContains, matches, notMatches, jsonPath }: HttpOptions): boolean {
  return contains.length + notContains.length + matches.length + notMatches.length + jsonPath.length > 0;
}

/**
 * Says what was expected of the body, and what came; undefined if there is no mismatch.
 * @throws {Failure} too-large, `unknown`: the part that was read does not decide
 */
export function bodyMismatch(body: BodyText, options: HttpOptions): string | undefined {
  const { contains, notContains, jsonPath } = options;
  const { text } = body;
  const unwanted = notContains.find((banned) => text.includes(banned));
  if (unwanted !== undefined) return `Expected no ${quoted(unwanted)} in the body, got ${around(text, unwanted)}`;
  const missing = contains.find((wanted) => !text.includes(wanted));
  if (missing !== undefined) {
    assertDecided(body, options, quoted(missing));
    return `Expected ${quoted(missing)} in the body, got ${quoted(text)}`;
  }
  if (notContains.length > 0) assertDecided(body, options, `no ${quoted(notContains[0] ?? '')}`);
  return patternMismatch(body, options) ?? (jsonPath.length === 0 ? undefined : jsonMismatch(body, options));
}

function patternMismatch(body: BodyText, options: HttpOptions): string | undefined {
  const { matches, notMatches } = options;
  if (matches.length + notMatches.length === 0) return undefined;
  const { text } = body;
  const search = new PatternSearch(text, [...matches, ...notMatches]);
  const searched = { text: search.text, isWhole: body.isWhole && search.text.length === text.length };
  for (const pattern of notMatches) {
    const found = search.find(pattern);
    if (found !== undefined) return `Expected no match of ${pattern} in the body, got ${quoted(found)}`;
  }
  const unmatched = matches.find((pattern) => search.find(pattern) === undefined);
  if (unmatched !== undefined) {
    assertDecided(searched, options, `a match of ${unmatched}`);
    return `Expected a body that matches ${unmatched}, got ${quoted(text)}`;
  }
  if (notMatches.length > 0) assertDecided(searched, options, `no match of ${notMatches[0]}`);
  return undefined;
}

function jsonMismatch(body: BodyText, options: HttpOptions): string | undefined {
  assertDecided(body, options, 'a JSON document');
  const document = attempt(() => parseJson(body.text));
  if (document instanceof Error) return `Expected JSON, got ${quoted(body.text)}: ${document.message}`;
  for (const assertion of options.jsonPath) {
    const compiled = compileAssertion(assertion);
    const holds = attempt(() => compiled.holds(document));
    if (holds instanceof Error)
      return `Expected ${assertion}, got a document that cannot be searched: ${holds.message}`;
    if (!holds) return `Expected ${assertion}, got ${compiled.found(document).slice(0, maxShownLength)}`;
  }
  return undefined;
}

const maxShownLength = 200;

/** Fails as unknown if the body was cut: the unread rest might decide. @throws {Failure} too-large */
function assertDecided({ text, isWhole }: BodyText, { maxBodyBytes }: HttpOptions, expected: string): void {
  if (isWhole) return;
  const message = `Expected ${expected} in the body, and only its first ${text.length} characters were searched (maxBodyBytes is ${maxBodyBytes}).`;
  throw new Failure('too-large', message, { as: { status: 'unknown', source: 'agent' } });
}

function attempt<Value>(work: () => Value): Value | Error {
  try {
    return work();
  } catch (error) {
    // Parsing and searching throw nothing but errors.
    return error as Error;
  }
}

function around(text: string, found: string): string {
  return quoted(text.slice(Math.max(0, text.indexOf(found) - 40)));
}
