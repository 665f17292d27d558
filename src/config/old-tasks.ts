import { findCheckType } from '../checks/registry.ts';
import type { CheckType } from '../core/check.ts';
import { got } from '../core/issues.ts';
import { endpointOfUrl, formatEndpoint } from '../core/target.ts';
import { isMapping, type Mapping } from './mapping.ts';
import { partOf, withPaths, type WrittenFile } from './mistake.ts';
import type { Written } from './monitor-entry.ts';

/** The key of an older task that says the same of a monitor. */
const oldKeys: Readonly<Record<string, string>> = { type: 'service', target: 'host' };

/** A task as the older tools wrote it: name, host, port, service, interval. */
export function isOldTask(entry: unknown): entry is Mapping {
  return isMapping(entry) && 'service' in entry && !('type' in entry);
}

/** The same as a monitor, none if its port is wrong; what is none of a task's keys is an option of its check. */
export function writtenOfTask(task: Mapping, file: WrittenFile): readonly Written[] {
  const { name, host: _host, port: _port, service, interval, timeout, ...options } = task;
  const written = withPaths(([first = '', ...rest]) => {
    if (first === 'options') return [file, rest];
    return [file, [oldKeys[first] ?? first, ...rest]];
  });
  const place = placeOf(task, file);
  if (!place) return [];
  const entry = { name, type: service, ...place, interval, timeout, options };
  return [
    {
      entry: Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)),
      file: written,
      howToGive: (option) => `write ${option}: … beside host`,
    },
  ];
}

/** Says once a file how people write it now, with its first task as the example. */
export function noteOldTask(task: unknown, file: WrittenFile): void {
  if (!isMapping(task)) return;
  const { name, service, interval } = task;
  const { target } = placeOf(task, { ...file, report: () => {}, warn: () => {} }) ?? {};
  const words = [
    ...(typeof name === 'string' ? [`name: ${name}`] : []),
    ...(typeof service === 'string' ? [`type: ${service.toLowerCase()}`] : []),
    `target: ${typeof target === 'string' ? target : '…'}`,
    ...(typeof interval === 'number' ? [`interval: ${interval}s`] : []),
  ];
  file.warn(
    [],
    `this is a task as older tools wrote it, and is read as { ${words.join(', ')} }; write it so, under monitors`,
  );
}

/** The target that host and port say; undefined if the port is wrong, which is then reported. */
function placeOf({ host, port, service }: Mapping, file: WrittenFile): { readonly target: unknown } | undefined {
  if (port === undefined || port === null || typeof host !== 'string') return { target: host };
  if (typeof port !== 'number' && typeof port !== 'string') {
    file.report(['port'], `expected a port, ${got(port)}`);
    return undefined;
  }
  const check = typeof service === 'string' ? findCheckType(service) : undefined;
  if (check && !takesPort(check)) {
    file.warn(['port'], `${check.title} has no port; it is left out`);
    return { target: host };
  }
  return host.includes('://') ? placeInUrl(host, port, file) : { target: endpoint(host, port) };
}

function takesPort({ options }: CheckType): boolean {
  return 'port' in options.shape || 'url' in options.shape;
}

function endpoint(host: string, port: number | string): string {
  return typeof port === 'number'
    ? formatEndpoint({ host, port })
    : `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** `http://example.org/x` with a port beside it. */
function placeInUrl(text: string, port: number | string, file: WrittenFile): { readonly target: string } | undefined {
  const url = URL.parse(text);
  if (!url) return { target: text };
  const own = String(endpointOfUrl(url).port);
  const hasOwn = /^[a-z]+:\/\/[^/?#]*:\d+(?:[/?#]|$)/i.test(text);
  if (hasOwn && own !== String(port)) {
    file.report(['port'], `expected the port of the URL, ${own}, got ${port}`);
    return undefined;
  }
  url.port = String(port);
  return { target: url.href };
}

/** Every task of a list, or of a mapping from names to tasks. */
export function* writtenByTasks(tasks: unknown, file: WrittenFile): Generator<Written> {
  const list = listOf(tasks);
  if (list.length === 0) file.report([], `expected a list of tasks, ${got(tasks)}`);
  const noted = list.find(([task]) => isOldTask(task));
  if (noted) noteOldTask(noted[0], partOf(file, [noted[1]]));
  for (const [task, step] of list) {
    const inside = partOf(file, [step]);
    if (!isMapping(task))
      inside.report([], `expected a mapping with name, host, port, service, interval, ${got(task)}`);
    else yield* 'type' in task ? [{ entry: task, file: inside }] : writtenOfTask(task, inside);
  }
}

function listOf(tasks: unknown): readonly (readonly [task: unknown, step: string | number])[] {
  if (Array.isArray(tasks)) return tasks.map((task: unknown, index) => [task, index]);
  if (!isMapping(tasks)) return [];
  return Object.entries(tasks).map(([name, task]) => [isMapping(task) ? { name, ...task } : task, name]);
}
