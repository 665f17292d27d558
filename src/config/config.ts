import { got, valueAt } from '../core/issues.ts';
import { quoted } from '../core/quoted.ts';
import type { Room } from '../core/room.ts';
import type { AlertWindow } from '../core/state/policies.ts';
import type { SensorPlan } from '../core/sensor-plan.ts';
import type { NotifierPlan } from '../notify/notifier-plan.ts';
import type { FileTop } from './file-top.ts';
import { withDefaults } from './defaults-section.ts';
import { readEgress, type EgressSection } from './egress-section.ts';
import { writtenByHost } from './hosts.ts';
import { reportDependencies } from './dependencies.ts';
import { DocumentLoader, type LoadedDocument, type ReadFile } from './loaded-documents.ts';
import { partOf, type Mistake, type WrittenFile } from './mistake.ts';
import { readMonitor, type ConfiguredMonitor, type Written } from './monitor-entry.ts';
import { isOldTask, noteOldTask, writtenByTasks, writtenOfTask } from './old-tasks.ts';
import { readSensors } from './sensors-section.ts';
import { readNotifiers } from './notifiers-section.ts';
import { readRooms } from './rooms-section.ts';
import { readServer, serverKeys, type ServerSection } from './server-section.ts';
import { readWindows } from './windows-section.ts';
import { Variables, type Environment } from './variables.ts';

export const maxMonitors = 100_000;

export interface Config {
  /** Their names are unique, and so are their ids. At least one, unless the file is a server's. */
  readonly monitors: readonly ConfiguredMonitor[];
  /** Which addresses may be reached, beside the defaults. */
  readonly egress: EgressSection;
  /** What only a server reads. */
  readonly server: ServerSection;
  /** What agents collect on their own machines; nothing, unless it is written. A server's matter as well. */
  readonly sensors: readonly SensorPlan[];
  /** Rooms whose machines are watched in sessions; a server's matter as well. */
  readonly rooms: readonly Room[];
  /** Ways to tell people. A server's matter as well. */
  readonly notifiers: readonly NotifierPlan[];
  /** Times in which people are not told. */
  readonly windows: readonly AlertWindow[];
}

export interface LoadedConfig {
  /**
   * What can run: a monitor, a room or an entry of sensors with a mistake is left out, and the rest go on. Undefined if a mistake leaves
   * unknown what the whole would be (a text that is no YAML, an unknown key at the top, a wrong section or defaults), or if no
   * monitor is right.
   */
  readonly config: Config | undefined;
  /** Every file that it was read from, those of secrets and of TLS too; no pipe. */
  readonly files: readonly string[];
  /** Each mistake, in the order of the files. */
  readonly mistakes: readonly Mistake[];
  /** What is allowed and will disappoint, in the same order. */
  readonly warnings: readonly Mistake[];
}

export interface ReadOptions {
  /** Whether it may go without monitors also where nothing in it is a server's: those of a server are also made through its interface. */
  readonly mayBeEmpty?: boolean;
}

/**
 * Reads a configuration of one file or of several, with what they include: YAML or JSON with `monitors:`, `hosts:` or both, or
 * the dictionary of hosts alone.
 */
export function readConfig(
  read: string | readonly ReadFile[],
  environment: Environment,
  { mayBeEmpty = false }: ReadOptions = {},
): LoadedConfig {
  const variables = new Variables(environment);
  const loader = new DocumentLoader(variables);
  for (const file of typeof read === 'string' ? [{ file: '', text: read }] : read) loader.load(file);
  const { documents, loaded, isBroken } = loader;
  const config = configOf(loaded, mayBeEmpty);
  const mistakes = documents.flatMap((document) => inOrder(document.mistakes));
  const warnings = documents.flatMap((document) => inOrder(document.warnings));
  const files = [...loader.files, ...variables.files, ...(config?.server.tls?.files ?? [])];
  return { config: isBroken ? undefined : config, files, mistakes, warnings };
}

/** As they stand in the file; what two monitors share is wrong once. */
function inOrder(mistakes: readonly Mistake[]): readonly Mistake[] {
  const distinct = new Map(mistakes.map((mistake) => [JSON.stringify(mistake), mistake]));
  return Array.from(distinct.values()).toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function configOf(loaded: readonly LoadedDocument[], mayBeEmpty: boolean): Config | undefined {
  const [first] = loaded;
  if (!first) return undefined;
  const egress = readOnlyEgress(loaded, first);
  const monitors = readMonitors(loaded);
  const server = readServer({
    agents: loaded.filter(({ contents }) => 'agents' in contents),
    tls: onlyOne(loaded, 'tls'),
    retention: onlyOne(loaded, 'retention'),
    publicUrl: onlyOne(loaded, 'publicUrl'),
    trustedProxies: onlyOne(loaded, 'trustedProxies'),
    deadman: onlyOne(loaded, 'deadman'),
  });
  const sensors = loaded.flatMap(({ document, contents }) =>
    readSensors(contents.sensors, partOf(document, ['sensors'])),
  );
  const notifiers = readNotifiers(
    loaded.map(({ document, contents }) => ({ written: contents.notifiers, file: partOf(document, ['notifiers']) })),
  );
  const rooms = readRooms(
    loaded.map(({ document, contents }) => ({ written: contents.rooms, file: partOf(document, ['rooms']) })),
  );
  const windows = readAllWindows(loaded);
  const hasMistakes = loaded.some(({ document }) => document.mistakes.length > 0);
  const needsNone = loaded.some(isServers) || (mayBeEmpty && !hasMistakes);
  if (!hasMistakes && monitors.length === 0 && !needsNone)
    first.document.report([], 'expected at least one monitor, under monitors or hosts');
  if (!egress || !server) return undefined;
  const config = { monitors, egress, server, sensors, rooms, notifiers, windows };
  return monitors.length > 0 || needsNone ? config : undefined;
}

function isServers({ contents }: LoadedDocument): boolean {
  return ['sensors', 'rooms', 'notifiers', ...windowKeys, ...serverKeys].some((key) => key in contents);
}

/** The sections of windows, and what each holds. */
const windowKeys = ['maintenance', 'silences'] as const;

function readAllWindows(loaded: readonly LoadedDocument[]): readonly AlertWindow[] {
  return loaded.flatMap(({ document, contents }) =>
    windowKeys.flatMap((key) =>
      readWindows(key === 'silences' ? 'silence' : key, contents[key], partOf(document, [key])),
    ),
  );
}

function readOnlyEgress(loaded: readonly LoadedDocument[], first: LoadedDocument): EgressSection | undefined {
  const [{ document, contents } = first, ...others] = onlyOne(loaded, 'egress');
  const egress = readEgress(contents.egress, partOf(document, ['egress']));
  return others.length === 0 ? egress : undefined;
}

/** The files with this section: a second one is reported. */
function onlyOne(loaded: readonly LoadedDocument[], key: keyof FileTop): readonly LoadedDocument[] {
  const found = loaded.filter(({ contents }) => key in contents);
  const [first, ...others] = found;
  for (const { document } of others) {
    const where = first?.document.lineOf([key]);
    document.report([key], `expected one ${key} section, and there is another in ${where}`, 'key');
  }
  return found;
}

/** Every monitor that is right; of two with one name or id the first. */
function readMonitors(loaded: readonly LoadedDocument[]): readonly ConfiguredMonitor[] {
  const byName = new Map<string, { readonly monitor: ConfiguredMonitor; readonly file: WrittenFile }>();
  const byId = new Map<string, WrittenFile>();
  for (const written of loaded.flatMap((each) => [...allWritten(each)])) {
    const { file } = written;
    if (byName.size >= maxMonitors) {
      file.report([], `expected at most ${maxMonitors} monitors`);
      break;
    }
    const monitor = readMonitor(written);
    if (!monitor) continue;
    const { id, name } = monitor;
    const namesake = byName.get(name)?.file;
    const other = byId.get(id);
    if (namesake) file.report(['name'], `another monitor, in ${namesake.lineOf([])}, is called ${quoted(name)}`);
    else if (other)
      file.report([idKeyOf(written)], `another monitor, in ${other.lineOf([])}, has the id ${quoted(id)}`);
    else {
      byName.set(name, { monitor, file });
      byId.set(id, file);
    }
  }
  reportDependencies([...byName.values()]);
  return Array.from(byName.values(), ({ monitor }) => monitor);
}

/** Where its id stands. */
function idKeyOf({ entry }: Written): 'id' | 'name' {
  return valueAt(entry, ['id']) === undefined ? 'name' : 'id';
}

function* allWritten({ document, contents, defaults }: LoadedDocument): Generator<Written> {
  for (const written of writtenIn(contents, document)) yield withDefaults(written, defaults);
}

function* writtenIn({ monitors, hosts, hostsPath, tasks, tasksPath }: FileTop, file: WrittenFile): Generator<Written> {
  const list: unknown = monitors ?? [];
  if (Array.isArray(list)) yield* writtenInList(list, partOf(file, ['monitors']));
  else file.report(['monitors'], `expected a list of monitors, ${got(list)}`);
  if (tasks !== undefined) yield* writtenByTasks(tasks, partOf(file, tasksPath));
  yield* writtenByHost(hosts ?? {}, hostsPath, file);
}

function* writtenInList(list: readonly unknown[], file: WrittenFile): Generator<Written> {
  const oldTask = list.findIndex(isOldTask);
  if (oldTask >= 0) noteOldTask(list[oldTask], partOf(file, [oldTask]));
  for (const [index, entry] of list.entries()) {
    const inside = partOf(file, [index]);
    yield* isOldTask(entry) ? writtenOfTask(entry, inside) : [{ entry, file: inside }];
  }
}
