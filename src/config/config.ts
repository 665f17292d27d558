import { got } from '../core/issues.ts';
import { nearestWord } from '../core/nearest.ts';
import { quoted } from '../core/quoted.ts';
import type { SensorPlan } from '../core/sensor-plan.ts';
import { ConfigDocument } from './document.ts';
import { readEgress, type EgressSection } from './egress-section.ts';
import type { Environment } from './environment.ts';
import { writtenByHost } from './hosts.ts';
import type { Mistake, Path, Report, WrittenFile } from './mistake.ts';
import { readSensors } from './sensors-section.ts';
import { readServer, serverKeys, type ServerSection } from './server-section.ts';
import { readMonitor, type ConfiguredMonitor, type Written } from './monitor-entry.ts';

export const maxMonitors = 100_000;

const keys = ['monitors', 'hosts', 'egress', 'sensors', ...serverKeys] as const;

export interface Config {
  /** Their names are unique. At least one, unless the file is a server's. */
  readonly monitors: readonly ConfiguredMonitor[];
  /** Which addresses may be reached, beside the defaults. */
  readonly egress: EgressSection;
  /** What only a server reads. */
  readonly server: ServerSection;
  /** What agents collect on their own machines; nothing, unless it is written. A server's matter as well. */
  readonly sensors: readonly SensorPlan[];
}

export interface LoadedConfig {
  /** What can run; undefined if nothing can: the text is no YAML, its egress policy is wrong, or no monitor is right. */
  readonly config: Config | undefined;
  /** Each mistake, in the order of the file. A monitor with a mistake is left out of the configuration, and the rest go on. */
  readonly mistakes: readonly Mistake[];
  /** What is allowed and will disappoint, in the same order. */
  readonly warnings: readonly Mistake[];
}

export interface ReadOptions {
  /** Whether it may go without monitors also where nothing in it is a server's: those of a server are also made through its interface. */
  readonly mayBeEmpty?: boolean;
}

/** Reads a configuration: YAML or JSON with `monitors:`, `hosts:` or both, or the dictionary of hosts alone. */
export function readConfig(
  text: string,
  environment: Environment,
  { mayBeEmpty = false }: ReadOptions = {},
): LoadedConfig {
  const document = new ConfigDocument(text);
  const config = configOf(document, environment, mayBeEmpty);
  return { config, mistakes: inOrder(document.mistakes), warnings: inOrder(document.warnings) };
}

/** As they stand in the file; what two monitors share is wrong once. */
function inOrder(mistakes: readonly Mistake[]): readonly Mistake[] {
  const distinct = new Map(mistakes.map((mistake) => [JSON.stringify(mistake), mistake]));
  return Array.from(distinct.values()).toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function configOf(document: ConfigDocument, environment: Environment, mayBeEmpty: boolean): Config | undefined {
  const { mistakes } = document;
  const data = document.read();
  const file = mistakes.length === 0 ? contentsOf(data, document.report) : undefined;
  if (!file) return undefined;
  const egress = readEgress(file.egress, document);
  const monitors = readMonitors(allWritten(file, document), { document, environment });
  const server = readServer(file, document);
  const sensors = readSensors(file.sensors, document);
  const needsNone = (mayBeEmpty && mistakes.length === 0) || ['sensors', ...serverKeys].some((key) => key in file);
  if (mistakes.length === 0 && monitors.length === 0 && !needsNone) {
    document.report([], 'expected at least one monitor, under monitors or hosts');
  }
  return egress && server && (monitors.length > 0 || needsNone) ? { monitors, egress, server, sensors } : undefined;
}

interface Contents {
  readonly monitors?: unknown;
  readonly hosts?: unknown;
  readonly egress?: unknown;
  readonly sensors?: unknown;
  readonly agents?: unknown;
  readonly tls?: unknown;
  readonly retention?: unknown;
  /** Where the hosts stand: the whole file may be their dictionary. */
  readonly hostsPath: Path;
}

function contentsOf(data: unknown, report: Report): Contents | undefined {
  if (!isMapping(data)) {
    report([], `expected a mapping with monitors or hosts, ${got(data)}`);
    return undefined;
  }
  const isHostsAlone = !keys.some((key) => key in data) && Object.values(data).some(isHostEntry);
  if (isHostsAlone) return { hosts: data, hostsPath: [] };
  for (const key of Object.keys(data)) {
    if (keys.some((known) => known === key)) continue;
    const nearest = nearestWord(key, keys);
    report([key], `expected ${keys.join(', ')}${nearest ? `; did you mean ${nearest}?` : ''}`, 'key');
  }
  return { ...data, hostsPath: ['hosts'] };
}

interface Origin {
  readonly document: ConfigDocument;
  readonly environment: Environment;
}

/** Every monitor that is right; of two with one name the first. */
function readMonitors(allWritten: Iterable<Written>, { document, environment }: Origin): readonly ConfiguredMonitor[] {
  const byName = new Map<string, { readonly monitor: ConfiguredMonitor; readonly path: Path }>();
  for (const written of allWritten) {
    const path = written.pathOf([]);
    if (byName.size >= maxMonitors) {
      document.report(path, `expected at most ${maxMonitors} monitors`);
      break;
    }
    const monitor = readMonitor(written, environment);
    if (!monitor) continue;
    const { name } = monitor;
    const other = byName.get(name);
    if (!other) byName.set(name, { monitor, path });
    else
      document.report(
        written.pathOf(['name']),
        `another monitor, in line ${document.lineOf(other.path)}, is called ${quoted(name)}`,
      );
  }
  return Array.from(byName.values(), ({ monitor }) => monitor);
}

function* allWritten({ monitors, hosts, hostsPath }: Contents, file: WrittenFile): Generator<Written> {
  const list: unknown = monitors ?? [];
  if (Array.isArray(list)) yield* list.map((entry, index) => writtenInList(entry, index, file));
  else file.report(['monitors'], `expected a list of monitors, ${got(list)}`);
  yield* writtenByHost(hosts ?? {}, hostsPath, file);
}

function writtenInList(entry: unknown, index: number, file: WrittenFile): Written {
  return { entry, file, pathOf: (path) => ['monitors', index, ...path] };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isHostEntry(value: unknown): boolean {
  const [first] = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return isMapping(first) && ('services' in first || 'checks' in first);
}
