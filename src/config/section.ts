import type { z } from 'zod';
import { describeIssue, hiddenSecret, valueAt } from '../core/issues.ts';
import { nearestWord } from '../core/nearest.ts';
import { readWritten } from '../core/scalars.ts';
import type { Path, WrittenFile } from './mistake.ts';
import { mayHoldSecret, schemaAt, writtenSchemaOf, type PlaceSchema } from './schema-places.ts';

export const hiddenVariable = 'the value of a variable, which is not shown';

/** A part of a file as its schema reads it; undefined if there is a mistake in it, which is then reported. */
export function readSection<Value>(schema: z.ZodType<Value>, given: unknown, file: WrittenFile): Value | undefined {
  return readWithInput(schema, given, file)?.data;
}

/** The same, and what was read: as it was written, with scalars of the kinds that the schema takes. */
export function readWithInput<Value>(
  schema: z.ZodType<Value>,
  given: unknown,
  file: WrittenFile,
): { readonly input: unknown; readonly data: Value } | undefined {
  const { input, result } = readWritten(schema, given, file.sourceOf);
  if (file.isUnresolved([])) return undefined;
  if (result.success) return { input, data: result.data };
  reportIssues(result.error, given, { schema: writtenSchemaOf(schema), file });
  return undefined;
}

function reportIssues(
  { issues }: z.ZodError,
  given: unknown,
  { schema, file }: { readonly schema: PlaceSchema; readonly file: WrittenFile },
): void {
  for (const issue of issues) {
    // What came from YAML has no symbols for keys.
    const path = writtenPlace(given, issue.path as Path);
    const place = schemaAt(schema, path);
    if (issue.code === 'unrecognized_keys')
      reportUnknownKeys(issue.keys, Object.keys(place?.properties ?? {}), { path, file });
    else
      file.report(path, describeMistake(issue, valueAt(given, path), { path, file, isSecret: mayHoldSecret(place) }));
  }
}

/** Where the value of a path is written: one that stands for a list of one has no places inside. */
export function writtenPlace(given: unknown, path: Path): Path {
  const end = path.findIndex((_, index) => {
    const value = valueAt(given, path.slice(0, index));
    return value !== undefined && value !== null && typeof value !== 'object';
  });
  return end < 0 ? path : path.slice(0, end);
}

interface Place {
  readonly path: Path;
  readonly file: WrittenFile;
}

/** Told one by one, of one mapping: for each the nearest known word is sought. */
const maxUnknownKeys = 100;

export function reportUnknownKeys(
  keys: readonly string[],
  known: readonly string[],
  { path, file, what = 'key' }: Place & { readonly what?: string },
): void {
  let isListed = false;
  for (const key of keys.slice(0, maxUnknownKeys)) {
    const hint = guess(key, known);
    const isList = hint === listOf(known);
    // The list is long, and said once.
    file.report([...path, key], `there is no such ${what}${isList && isListed ? '' : hint}`, 'key');
    isListed ||= isList;
  }
  const others = keys.length - maxUnknownKeys;
  if (others > 0) file.report(path, `${others} more keys stand here that are not known`);
}

/** `; did you mean allow?`, or every word that is known where none is close. */
export function guess(word: string, known: readonly string[]): string {
  const nearest = nearestWord(word, known);
  return nearest === undefined ? listOf(known) : `; did you mean ${nearest}?`;
}

function listOf(known: readonly string[]): string {
  return `; known are ${known.join(', ')}`;
}

/** One mistake that a schema found at a place; neither a secret nor the value of a variable is shown. */
export function describeMistake(
  issue: z.core.$ZodIssue,
  value: unknown,
  { path, file, isSecret }: Place & { readonly isSecret: boolean },
): string {
  if (typeof value !== 'object' && file.referencesIn(path).length > 0)
    return describeIssue(issue, value, hiddenVariable);
  return describeIssue(issue, value, isSecret ? hiddenSecret : undefined);
}
