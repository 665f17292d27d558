import { z } from 'zod';
import { got } from '../core/issues.ts';
import { withPaths, type Path, type WrittenFile } from './mistake.ts';
import type { Written } from './monitor-entry.ts';
import { reportUnknownKeys } from './section.ts';

/** What the checks of a host share, and each may say for itself. */
const sharedKeys = ['interval', 'timeout', 'agents', 'paused'] as const;
const hostKeys = ['checks', 'services', ...sharedKeys];
const services = z.union([z.string().transform((word) => [word]), z.array(z.string()).min(1)]);
const mapping = z.record(z.string(), z.unknown());

/**
 * The dictionary form: for each host a list of checks and one interval, or for each check its options.
 * A host may have several such entries in a list, each with its own interval.
 */
export function* writtenByHost(hosts: unknown, path: Path, file: WrittenFile): Generator<Written> {
  const dictionary = mapping.safeParse(hosts);
  if (!dictionary.success) {
    file.report(path, `expected a mapping from hosts to their checks, ${got(hosts)}`);
    return;
  }
  for (const [host, value] of Object.entries(dictionary.data)) {
    for (const [entry, step] of entriesOf(value))
      yield* writtenOfHost(entry, host, { path: [...path, host, ...step], file });
  }
}

/** The entries of a host and where each stands. `host: [HTTP, ICMP]` and `host: HTTP` are short for its services. */
function entriesOf(value: unknown): readonly (readonly [entry: unknown, step: Path])[] {
  if (services.safeParse(value).success) return [[{ services: value }, []]];
  return Array.isArray(value) ? value.map((entry, index) => [entry, [index]] as const) : [[value, []]];
}

interface Place {
  readonly path: Path;
  readonly file: WrittenFile;
}

function* writtenOfHost(value: unknown, host: string, { path, file }: Place): Generator<Written> {
  const entry = mapping.safeParse(value);
  if (!entry.success) {
    file.report(path, `expected a mapping with checks and an interval, ${got(value)}`);
    return;
  }
  for (const key of Object.keys(entry.data)) {
    if (!hostKeys.includes(key)) reportUnknownKeys([key], hostKeys, { path, file });
  }
  const key = 'services' in entry.data ? 'services' : 'checks';
  const { [key]: checks } = entry.data;
  const common = Object.fromEntries(sharedKeys.map((name) => [name, entry.data[name]]));
  const shared: Shared = { host, common, path, checksPath: [...path, key], file };
  const list = services.safeParse(checks);
  const options = mapping.safeParse(checks);
  if (list.success) yield* writtenByWord(list.data, shared);
  else if (options.success) yield* writtenByOptions(options.data, shared);
  else
    file.report(
      shared.checksPath,
      `expected a list of checks, or a mapping from checks to their options, ${got(checks)}`,
    );
}

interface Shared extends Place {
  readonly host: string;
  readonly common: Readonly<Record<string, unknown>>;
  readonly checksPath: Path;
}

/** `services: [HTTP, ICMP]` */
function* writtenByWord(list: readonly string[], { host, common, path, checksPath, file }: Shared): Generator<Written> {
  for (const [index, type] of list.entries()) {
    yield {
      entry: { name: nameOf(host, type), type, target: host, ...common },
      file: withPaths(([first = '', ...rest]) => [
        file,
        isShared(first) ? [...path, first, ...rest] : [...checksPath, index],
      ]),
      howToGive: (option) => `write checks: { ${type.toLowerCase()}: { ${option}: … } } for ${host}`,
    };
  }
}

/** `checks: {tcp: {port: 443, interval: 30s}}`; what is no option of the check itself is written as for a monitor. */
function* writtenByOptions(
  checks: Readonly<Record<string, unknown>>,
  { host, common, path, checksPath, file }: Shared,
): Generator<Written> {
  for (const [type, value] of Object.entries(checks)) {
    const own = mapping.safeParse(value ?? {});
    if (!own.success) {
      file.report([...checksPath, type], `expected a mapping of options, ${got(value)}`);
      continue;
    }
    const options = Object.fromEntries(Object.entries(own.data).filter(([key]) => !isShared(key)));
    const said = Object.fromEntries(sharedKeys.map((key) => [key, own.data[key] ?? common[key]]));
    yield {
      entry: { name: nameOf(host, type), type, target: host, ...said, options },
      file: withPaths(([first = '', ...rest]) => {
        if (first === 'options') return [file, [...checksPath, type, ...rest]];
        if (!isShared(first)) return [file, [...checksPath, type]];
        return [file, [...(first in own.data ? [...checksPath, type] : path), first, ...rest]];
      }),
    };
  }
}

function isShared(key: string | number): boolean {
  return sharedKeys.some((shared) => shared === key);
}

function nameOf(host: string, type: string): string {
  return `${host} ${type.toLowerCase()}`;
}
