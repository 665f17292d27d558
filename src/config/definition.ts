import { z } from 'zod';
import { checkModules, moduleWords } from '../checks/modules.ts';
import { findCheckType } from '../checks/registry.ts';
import type { CheckType } from '../core/check.ts';
import { AppError } from '../core/errors.ts';
import type { MonitorSpec } from '../core/monitor-spec.ts';
import type { JsonObject, JsonValue } from '../core/outcome.ts';
import type { Room } from '../core/room.ts';
import { formatPath, type Path, type Report, type WrittenFile } from './mistake.ts';
import { entrySchema, readMonitor, type ConfiguredMonitor } from './monitor-entry.ts';
import { policySchema, readRoom, roomEntrySchema } from './rooms-section.ts';
import { sensorTypes } from '../sensors/registry.ts';

/** The monitors that `readDefinition` takes, a schema for each check type. */
export const definitionDocument: z.ZodType = z
  .union(
    checkModules.flatMap((module) => {
      const check = findCheckType(module.type);
      return check ? [entrySchemaOf(check, moduleWords(module))] : [];
    }),
  )
  .meta({ id: 'MonitorDefinition' });

/** The rooms that `readRoomDefinition` takes. */
export const roomDocument: z.ZodType = z
  .strictObject({
    ...roomEntrySchema.omit({ id: true }).shape,
    policies: z.array(
      z.strictObject({
        ...policySchema.shape,
        ...Object.fromEntries(sensorTypes.map(({ type, options }) => [type, options.optional()])),
      }),
    ),
  })
  .meta({ id: 'RoomDefinition' });

/** Mistakes told at once. */
const maxMistakes = 10;

/** A monitor of one type as people may write it, for documents: options that the target says can be left out. */
function entrySchemaOf(check: CheckType, words: readonly string[]) {
  const prefix = check.type.replace(/^./, (letter) => letter.toUpperCase());
  return z
    .strictObject({
      ...entrySchema.omit({ id: true }).shape,
      type: z.enum(words),
      options: z
        .strictObject(check.options.shape)
        .partial()
        .meta({ id: `${prefix}Options` })
        .optional(),
    })
    .meta({ id: `${prefix}Monitor` });
}

/**
 * One monitor, written as in a file, that came from elsewhere. `${NAME}` is refused in it: whoever may make a monitor may not
 * read the server's secrets by it.
 * @throws {AppError} usage, with every mistake
 */
export function readDefinition(definition: JsonObject): MonitorSpec {
  return readForeign(definition, readMonitorIn).spec;
}

/** One room in the same way; its id is to be given. @throws {AppError} usage, with every mistake */
export function readRoomDefinition(definition: JsonObject): Room {
  return readForeign(definition, readRoom);
}

function readMonitorIn(entry: unknown, file: WrittenFile): ConfiguredMonitor | undefined {
  return readMonitor({ entry, file });
}

function readForeign<Value>(
  definition: JsonObject,
  read: (entry: unknown, file: WrittenFile) => Value | undefined,
): Value {
  const mistakes: string[] = [];
  const report: Report = (path, message) =>
    void mistakes.push(path.length > 0 ? `${formatPath(path)}: ${message}` : message);
  if ('id' in definition) report(['id'], 'is given by the server: leave it out');
  const value = read(literal(definition, [], report), {
    report,
    warn: () => {},
    sourceOf: () => undefined,
    referencesIn: () => [],
    isUnresolved: () => false,
    lineOf: () => '',
  });
  if (value && mistakes.length === 0) return value;
  const others = mistakes.length > maxMistakes ? `; and ${mistakes.length - maxMistakes} more mistakes` : '';
  throw new AppError('usage', `${mistakes.slice(0, maxMistakes).join('; ')}${others}`);
}

/** The data with `$${` as `${`; one that is not doubled is reported, and stays as it is. */
function literal(value: JsonValue, path: Path, report: Report): JsonValue {
  if (typeof value === 'string') return literalText(value, path, report);
  // An array of JSON: JsonValue has it as read-only, which isArray does not tell.
  if (Array.isArray(value)) return value.map((item: JsonValue, index) => literal(item, [...path, index], report));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, literal(inner, [...path, key], report)] as const),
  );
}

function literalText(text: string, path: Path, report: Report): string {
  if (/(?<!\$)\$\{/.test(text))
    report(
      path,
      "variables like ${NAME} and ${file:…} are read only in files on the server's own disk; give the value itself, or write $${ for the text itself",
    );
  return text.replaceAll('$${', () => '${');
}
