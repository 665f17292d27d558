import type { z } from 'zod';
import { quoted } from './quoted.ts';

type Issue = z.core.$ZodIssue;

/** The input of a schema, and the names that people use for its places. */
interface Source {
  readonly input: unknown;
  readonly nameOf: (path: readonly PropertyKey[]) => string;
  readonly isSecret?: (path: readonly PropertyKey[]) => boolean;
}

/** Each mistake that a schema found, as `where: what was expected, what came`. */
export function describeIssues(
  { issues }: { readonly issues: readonly Issue[] },
  { input, nameOf, isSecret = () => false }: Source,
): readonly string[] {
  return issues.map((issue) => {
    const hidden = isSecret(issue.path) ? hiddenSecret : undefined;
    const text = describeIssue(issue, valueAt(input, issue.path), hidden);
    return issue.path.length === 0 ? text : `${nameOf(issue.path)}: ${text}`;
  });
}

const kindNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** Stands in a message for a value that may be a secret. */
export const hiddenSecret = 'something else (not shown: it may be a secret)';

/** One mistake without its place; `value` is the given value, and `hidden` stands for it where it may not be shown. */
export function describeIssue(issue: Issue, value: unknown, hidden?: string): string {
  const isShown = hidden === undefined || value === undefined || typeof value === 'object';
  return isShown ? describe(issue, value) : withoutValue(describe(issue, undefined), hidden);
}

/** A sentence of our own, which may hold the value, without it. */
export function withoutValue(text: string, hidden: string): string {
  const [expected = ''] = text.split(', got ', 1);
  return expected.startsWith('expected ') ? `${expected}, got ${hidden}` : expected;
}

function describe(issue: Issue, value: unknown): string {
  // A sentence of our own schemas; the library's messages begin with other words.
  if (issue.message.startsWith('expected ') && !issue.message.includes('got '))
    return isAboutWhole(issue, value) ? issue.message : `${issue.message}, ${got(value)}`;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${kindNames[issue.expected] ?? issue.expected}, ${got(value)}`;
    case 'too_small':
      return `expected ${sizeOf(issue.origin)}at least ${issue.minimum}, ${got(value)}`;
    case 'too_big':
      return `expected ${sizeOf(issue.origin)}at most ${issue.maximum}, ${got(value)}`;
    case 'invalid_value':
      return `expected one of ${issue.values.map(String).join(', ')}, ${got(value)}`;
    case 'unrecognized_keys':
      return `unknown option ${issue.keys.join(', ')}`;
    default:
      return issue.message.includes('got ') ? issue.message : `${issue.message}, ${got(value)}`;
  }
}

/** What is wrong with a list or a mapping as a whole is seldom that it is one. */
function isAboutWhole({ code }: Issue, value: unknown): boolean {
  return code === 'custom' && typeof value === 'object' && value !== null;
}

function sizeOf(origin: string): string {
  return origin === 'string' ? 'a length of ' : origin === 'array' ? 'a list of ' : '';
}

const longestShown = 60;

/** The given value in words, short enough for a line: `got a list`, `got "htpp"`. */
export function got(value: unknown): string {
  // An empty place in YAML is null.
  if (value === undefined || value === null) return 'got nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'got an empty list' : 'got a list';
  if (typeof value === 'object') return 'got a mapping';
  return `got ${typeof value === 'string' ? quoted(value, longestShown) : JSON.stringify(value)}`;
}

/** Undefined where the path leads nowhere. */
export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    input,
  );
}
