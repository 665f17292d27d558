import type { z } from 'zod';
import { valueAt } from './issues.ts';

/** How a scalar was written, where that is known: YAML reads `007` as a number. */
export type SourceOf = (path: readonly PropertyKey[]) => string | undefined;

/** The output of a schema and the input that it accepted, with scalars converted to the kinds that the schema wants. */
export interface AsRead<Value> {
  readonly input: unknown;
  readonly result: z.ZodSafeParseResult<Value>;
}

/** Each round converts one level: a scalar becomes a list, then its item a text. */
const maxRounds = 4;

/**
 * Parses data that people wrote. A scalar of another kind than the schema wants is taken if it has one meaning there: a number
 * where a text is wanted is the text that was written, `yes` where a switch is wanted is true, one value is a list of it.
 */
export function readWritten<Value>(
  schema: z.ZodType<Value>,
  written: unknown,
  sourceOf: SourceOf = () => undefined,
): AsRead<Value> {
  let input = written;
  for (let round = 1; ; round++) {
    const result = schema.safeParse(input);
    if (result.success || round === maxRounds) return { input, result };
    const mended = mend(input, result.error.issues, sourceOf);
    if (mended === input) return { input, result };
    input = mended;
  }
}

function mend(written: unknown, issues: readonly z.core.$ZodIssue[], sourceOf: SourceOf): unknown {
  let input = written;
  const copies = new Set<object>();
  for (const issue of issues) {
    const value = valueAt(input, issue.path);
    const replacement = meant(issue, value, sourceOf(issue.path));
    if (replacement !== undefined) input = withValueAt(input, { path: issue.path, value: replacement, copies });
  }
  return input;
}

type Scalar = string | number | boolean | readonly string[];

/** The value that was meant; undefined if there is any doubt. */
function meant(issue: z.core.$ZodIssue, value: unknown, source: string | undefined): Scalar | undefined {
  const text = textOf(value, source);
  if (text === undefined) return undefined;
  // A choice among words and numbers holds scalars only.
  if (issue.code === 'invalid_value') return issue.values.find((known) => String(known) === text) as Scalar | undefined;
  return issue.code === 'invalid_type' ? asKind[issue.expected]?.(text, value) : undefined;
}

const numeral = /^\s*[+-]?\d{1,15}(?:\.\d{1,15})?\s*$/;
const asNumber = (text: string, value: unknown): Scalar | undefined =>
  typeof value === 'string' && numeral.test(text) ? Number(text) : undefined;

/** By the kinds that Zod names. */
const asKind: Readonly<Record<string, (text: string, value: unknown) => Scalar | undefined>> = {
  string: (text) => text,
  array: (text, value) => (value === null ? undefined : [text]),
  boolean: (text) => switches.get(text.toLowerCase()),
  number: asNumber,
  int: asNumber,
};

/** YAML 1.1 and people. */
const switches: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['no', false],
  ['off', false],
]);

/** A scalar as it was written; undefined for lists, mappings, and missing values. */
function textOf(value: unknown, source: string | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (source !== undefined) return source;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

interface Change {
  readonly path: readonly PropertyKey[];
  readonly value: unknown;
  /** Lists and mappings that were copied already: each is copied once, however many values in it change. */
  readonly copies: Set<object>;
}

/** The data with another value at this path; all values beside the path are shared with the given data. */
function withValueAt(data: unknown, { path: [step, ...rest], value, copies }: Change): unknown {
  if (step === undefined) return value;
  // The path came from a schema that looked into this data.
  const given = data as object;
  const copy = copies.has(given) ? given : Array.isArray(given) ? [...(given as unknown[])] : { ...given };
  copies.add(copy);
  const inner = withValueAt(Reflect.get(copy, step), { path: rest, value, copies });
  // Not set: `__proto__` is a key like any other.
  Object.defineProperty(copy, step, { value: inner, configurable: true, enumerable: true, writable: true });
  return copy;
}
