import { z } from 'zod';
import { got, type Path, type Report } from './mistake.ts';
import type { Written } from './monitor-entry.ts';

const hostKeys = ['checks', 'services', 'interval', 'timeout'];
const words = z.array(z.string());
const mapping = z.record(z.string(), z.unknown());

/**
 * The dictionary form: for each host a list of checks and one interval, or for each check its options.
 * A host may have several such entries in a list, each with its own interval.
 */
export function* writtenByHost(hosts: unknown, path: Path, report: Report): Generator<Written> {
  const dictionary = mapping.safeParse(hosts);
  if (!dictionary.success) {
    report(path, `expected a mapping from hosts to their checks, ${got(hosts)}`);
    return;
  }
  for (const [host, value] of Object.entries(dictionary.data)) {
    const entries = Array.isArray(value)
      ? value.map((entry, index) => [entry, [index]] as const)
      : [[value, []] as const];
    for (const [entry, step] of entries) yield* writtenOfHost(entry, host, { path: [...path, host, ...step], report });
  }
}

interface Place {
  readonly path: Path;
  readonly report: Report;
}

function* writtenOfHost(value: unknown, host: string, { path, report }: Place): Generator<Written> {
  const entry = mapping.safeParse(value);
  if (!entry.success) {
    report(path, `expected a mapping with checks and an interval, ${got(value)}`);
    return;
  }
  for (const key of Object.keys(entry.data)) {
    if (!hostKeys.includes(key)) report([...path, key], `expected ${hostKeys.join(', ')}, got ${key}`, 'key');
  }
  const key = 'services' in entry.data ? 'services' : 'checks';
  const { [key]: checks, interval, timeout } = entry.data;
  const shared: Shared = { host, times: { interval, timeout }, path, checksPath: [...path, key], report };
  const list = words.safeParse(checks);
  const options = mapping.safeParse(checks);
  if (list.success) yield* writtenByWord(list.data, shared);
  else if (options.success) yield* writtenByOptions(options.data, shared);
  else
    report(shared.checksPath, `expected a list of checks, or a mapping from checks to their options, ${got(checks)}`);
}

interface Shared extends Place {
  readonly host: string;
  readonly times: { readonly interval: unknown; readonly timeout: unknown };
  readonly checksPath: Path;
}

/** `services: [HTTP, ICMP]` */
function* writtenByWord(
  list: readonly string[],
  { host, times, path, checksPath, report }: Shared,
): Generator<Written> {
  for (const [index, type] of list.entries()) {
    yield {
      entry: { name: nameOf(host, type), type, target: host, ...times },
      pathOf: ([first, ...rest]) =>
        first === 'interval' || first === 'timeout' ? [...path, first, ...rest] : [...checksPath, index],
      report,
    };
  }
}

/** `checks: {tcp: {port: 443, interval: 30s}}`; what is no option of the check itself is written as for a monitor. */
function* writtenByOptions(
  checks: Readonly<Record<string, unknown>>,
  { host, times, path, checksPath, report }: Shared,
): Generator<Written> {
  for (const [type, value] of Object.entries(checks)) {
    const own = mapping.safeParse(value ?? {});
    if (!own.success) {
      report([...checksPath, type], `expected a mapping of options, ${got(value)}`);
      continue;
    }
    const { interval = times.interval, timeout = times.timeout, ...options } = own.data;
    yield {
      entry: { name: nameOf(host, type), type, target: host, interval, timeout, options },
      pathOf: ([first, ...rest]) => {
        if (first === 'options') return [...checksPath, type, ...rest];
        if (first !== 'interval' && first !== 'timeout') return [...checksPath, type];
        return first in own.data ? [...checksPath, type, first] : [...path, first];
      },
      report,
    };
  }
}

function nameOf(host: string, type: string): string {
  return `${host} ${type.toLowerCase()}`;
}
