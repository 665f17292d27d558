import { got } from '../core/issues.ts';
import { isTemplate } from './expand.ts';
import { isMapping } from './mapping.ts';
import type { Path, WrittenFile } from './mistake.ts';
import { reportUnknownKeys } from './section.ts';

/** The keys at the top of a file. */
export const topKeys = [
  'monitors',
  'hosts',
  'defaults',
  'include',
  'egress',
  'sensors',
  'rooms',
  'notifiers',
  'maintenance',
  'silences',
  'agents',
  'tls',
  'retention',
  'publicUrl',
  'trustedProxies',
  'deadman',
] as const;

/** What stands at the top of a file. */
export interface FileTop extends Readonly<Partial<Record<(typeof topKeys)[number], unknown>>> {
  /** A list of tasks as the older tools wrote it. */
  readonly tasks?: unknown;
  readonly tasksPath: Path;
  /** Where the hosts stand: the whole file may be their dictionary. */
  readonly hostsPath: Path;
}

const places = { hostsPath: ['hosts'], tasksPath: ['tasks'] } as const;

/** Undefined if there is a key that is unknown: a misspelt `egress` must not leave the policy out. */
export function topOf(data: unknown, file: WrittenFile): FileTop | undefined {
  if (Array.isArray(data)) return { ...places, tasks: data, tasksPath: [] };
  if (!isMapping(data)) {
    file.report([], `expected a mapping with monitors or hosts, ${got(data)}`);
    return undefined;
  }
  const known = [...topKeys, 'tasks'];
  const isHostsAlone = !known.some((key) => key in data) && Object.values(data).some(isHostEntry);
  if (isHostsAlone) return hostsAlone(data, file);
  const unknown = Object.keys(data).filter((key) => !known.includes(key) && !isTemplate(key));
  reportUnknownKeys(unknown, topKeys, { path: [], file });
  return unknown.length === 0 ? { ...data, ...places } : undefined;
}

function hostsAlone(data: Readonly<Record<string, unknown>>, file: WrittenFile): FileTop | undefined {
  const templates = Object.keys(data).filter(isTemplate);
  for (const key of templates)
    file.report([key], 'this could be a host, or a block to take keys from; write the hosts under hosts', 'key');
  return templates.length === 0 ? { ...places, hosts: data, hostsPath: [] } : undefined;
}

function isHostEntry(value: unknown): boolean {
  const [first] = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return isMapping(first) && ('services' in first || 'checks' in first);
}
