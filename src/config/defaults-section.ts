import { z } from 'zod';
import { checkTypes, findCheckType } from '../checks/registry.ts';
import type { CheckType } from '../core/check.ts';
import { got, valueAt } from '../core/issues.ts';
import { isMapping, merged, type Mapping } from './mapping.ts';
import { partOf, withPaths, type WrittenFile } from './mistake.ts';
import { sharedShape, type Written } from './monitor-entry.ts';
import { readSection, reportUnknownKeys } from './section.ts';

/** What a monitor takes from `defaults:` of its file, or of one that includes it, where it says nothing itself. */
export interface Defaults {
  readonly written: Mapping;
  /** Its paths begin at `defaults`. */
  readonly file: WrittenFile;
}

const sharedKeys = Object.keys(sharedShape);
const typeWords = checkTypes.map(({ type }) => type);
export const sharedSchema = z.strictObject(sharedShape).partial();
/** `http: { timeout: 5s, options: … }` */
const typeSchema = z.strictObject({ ...sharedSchema.shape, options: z.record(z.string(), z.unknown()).optional() });

/** Reports each mistake in them, also in what no monitor takes. */
export function areDefaultsRight(written: unknown, file: WrittenFile): boolean {
  if (!isMapping(written)) {
    file.report([], `expected a mapping, ${got(written)}`);
    return false;
  }
  let isRight = !file.isUnresolved([]);
  const take = (value: unknown): void => void (isRight &&= value !== undefined);
  const shared = Object.fromEntries(Object.entries(written).filter(([key]) => sharedKeys.includes(key)));
  take(readSection(sharedSchema, shared, file));
  for (const [key, value] of Object.entries(written)) {
    if (sharedKeys.includes(key)) continue;
    const check = findCheckType(key);
    if (check?.type === key) take(readTypeDefaults(check, value, partOf(file, [key])));
    else {
      isRight = false;
      if (check)
        file.report([key], `expected the name of a check type: ${check.type}, of which ${key} is another word`, 'key');
      else reportUnknownKeys([key], [...sharedKeys, ...typeWords], { path: [], file });
    }
  }
  return isRight;
}

function readTypeDefaults(check: CheckType, value: unknown, file: WrittenFile): true | undefined {
  const read = readSection(typeSchema, value ?? {}, file);
  if (!read) return undefined;
  const { options = {} } = read;
  const inside = partOf(file, ['options']);
  let mistakes = 0;
  readSection(check.options, options, {
    ...inside,
    report(path, message, at) {
      // What is not there a monitor may say; what stands here must be right.
      if (valueAt(options, path) === undefined || path.length === 0) return;
      mistakes++;
      inside.report(path, message, at);
    },
  });
  return mistakes === 0 ? true : undefined;
}

/** The entry with what it takes from the defaults; of several the first that says something counts. */
export function withDefaults(written: Written, defaults: readonly Defaults[]): Written {
  const { entry, file } = written;
  if (defaults.length === 0 || !isMapping(entry)) return written;
  const type = typeof entry['type'] === 'string' ? findCheckType(entry['type'])?.type : undefined;
  const sources = defaults.flatMap((each) => [
    ...(type !== undefined && isMapping(each.written[type]) ? [part(each, type)] : []),
    each,
  ]);
  const sourceOf = (key: string): Defaults | undefined => sources.find((source) => source.written[key] !== undefined);
  const taken = sharedKeys.flatMap((key) => {
    const source = entry[key] === undefined ? sourceOf(key) : undefined;
    return source ? [[key, source] as const] : [];
  });
  const options = sources.filter((source) => isMapping(source.written['options']));
  const byKey = new Map(taken);
  return {
    ...written,
    entry: { ...entry, ...Object.fromEntries(taken.map(([key, source]) => [key, source.written[key]])) },
    defaults: options
      .toReversed()
      .reduce<Mapping>((all, source) => merged(all, source.written['options'] as Mapping), {}),
    file: withOptionsOf(options, {
      own: valueAt(entry, ['options']),
      file: withPaths((path) => [byKey.get(String(path[0]))?.file ?? file, path]),
    }),
  };
}

/** Options that the entry leaves to the defaults stand where the defaults are written. */
function withOptionsOf(
  sources: readonly Defaults[],
  { own, file }: { readonly own: unknown; readonly file: WrittenFile },
): WrittenFile {
  if (sources.length === 0) return file;
  const placed = withPaths((path) => {
    const [first, ...inside] = path;
    if (first !== 'options' || inside.length === 0 || valueAt(own, inside) !== undefined) return [file, path];
    const source = sources.find(({ written }) => valueAt(written['options'], inside) !== undefined);
    return [source?.file ?? file, path];
  });
  return {
    ...placed,
    referencesIn: (path) =>
      path.length === 1 && path[0] === 'options'
        ? [file, ...sources.map((source) => source.file)].flatMap((each) => each.referencesIn(path))
        : placed.referencesIn(path),
  };
}

function part({ written, file }: Defaults, type: string): Defaults {
  // The caller has looked.
  return { written: written[type] as Mapping, file: partOf(file, [type]) };
}
