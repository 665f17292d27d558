import { formatDuration } from '../core/duration.ts';
import type { Status } from '../core/outcome.ts';
import { styleOf, type Paint, type Style } from './paint.ts';
import { formatTime } from './result-line.ts';
import { formatTable, type Column } from './table.ts';
import { printable } from '../core/printable.ts';
import { wrap } from './text.ts';
import { counted, formatMs, formatQuantity } from './units.ts';

/** An agent as the server tells of it; times are ISO 8601. */
export interface AgentRow {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly since: string;
  readonly address: string | null;
  readonly lastSeenAt: string | null;
  readonly tasks: number;
  /** As the agent last told; null if it never did. */
  readonly queue: {
    readonly depth: number;
    readonly bytes: number;
    readonly oldestUnsentAt: string | null;
    readonly at: string;
  } | null;
  readonly lagMs: number;
  readonly clockOffsetMs: number;
  readonly impaired: readonly string[];
  readonly warnings: readonly string[];
  readonly sensors: readonly { readonly sensor: string; readonly state: string; readonly message: string }[];
}

/** The queue of one agent as it last told: results to be sent, or to be acknowledged. */
export interface QueueRow {
  readonly agent: string;
  readonly id: string;
  /** Null where the agent never told. */
  readonly depth: number | null;
  readonly bytes: number | null;
  readonly oldestUnsentAt: string | null;
  readonly toldAt: string | null;
}

export function queueOf({ name: agent, id, queue }: AgentRow): QueueRow {
  if (!queue) return { agent, id, depth: null, bytes: null, oldestUnsentAt: null, toldAt: null };
  const { depth, bytes, oldestUnsentAt, at: toldAt } = queue;
  return { agent, id, depth, bytes, oldestUnsentAt, toldAt };
}

export interface TaskRow {
  readonly id: string;
  readonly monitor: string;
  readonly agent: string;
  readonly type: string;
  readonly target: string;
  readonly intervalMs: number;
  readonly paused: boolean;
  /** What is known of the target now; `latest` may be old. */
  readonly state: Status;
  readonly latest: {
    readonly status: Status;
    readonly latencyMs: number | null;
    readonly message: string;
    readonly startedAt: string;
  } | null;
}

export interface MonitorRow {
  readonly name: string;
  readonly type: string;
  readonly target: string;
  readonly interval: string;
  readonly agents: readonly string[] | null;
  readonly origin: string;
  readonly paused: boolean;
  /** How many agents say what of it now. */
  readonly states: Readonly<Record<Status, number>>;
}

export interface View {
  readonly paint: Paint;
  /** Width of the terminal. */
  readonly columns: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

const agentStyles: Readonly<Record<string, Style>> = {
  online: 'green',
  reconnecting: 'yellow',
  impaired: 'yellow',
  offline: 'red',
  revoked: 'dim',
};

export function agentStyle(status: string): Style {
  return agentStyles[status] ?? 'magenta';
}

/** `Online`, as people read it. */
export function agentStatusWord(status: string): string {
  return printable(status.charAt(0).toUpperCase() + status.slice(1));
}

/** A line for each agent; under the table what is wrong with them, or soon will be. */
export function formatAgents(agents: readonly AgentRow[], view: View): string {
  if (agents.length === 0) return noAgents;
  const { paint, now } = view;
  const columns: readonly Column<AgentRow>[] = [
    { title: 'Status', textOf: ({ status }) => agentStatusWord(status), styleOf: ({ status }) => agentStyle(status) },
    { title: 'Since', textOf: ({ since }) => ageOf(since, now) },
    { title: 'Name', textOf: ({ name }) => name, styleOf: () => 'bold' },
    { title: 'Address', textOf: ({ address }) => address ?? '-', goesBelow: 2 },
    { title: 'Id', textOf: ({ id }) => id, goesBelow: 1 },
    { title: 'Tasks', textOf: ({ tasks }) => String(tasks), align: 'right' },
    { title: 'Queue', textOf: ({ queue }) => depthOf(queue, now), align: 'right' },
    { title: 'Oldest', textOf: ({ queue }) => ageOf(queue?.oldestUnsentAt, now), align: 'right' },
    { title: 'Lag', textOf: ({ lagMs }) => formatMs(Math.round(lagMs)), align: 'right' },
    { title: 'Clock', textOf: ({ clockOffsetMs }) => offsetOf(clockOffsetMs), align: 'right' },
    ...(agents.some(({ sensors }) => sensors.length > 0)
      ? [{ title: 'Sensors', textOf: sensorsOf, goesBelow: 3 }]
      : []),
  ];
  const troubles = agents.flatMap(({ name, impaired, warnings, sensors }) =>
    [...impaired, ...warnings, ...sensors.filter(({ state }) => state !== 'running').map(sensorTrouble)].map(
      (trouble) => paint('yellow', wrap(`${printable(name)}: ${printable(trouble)}`, view.columns).join('\n')),
    ),
  );
  return [countsOf(agents), formatTable(agents, columns, view), ...troubles].join('\n');
}

export function formatQueues(queues: readonly QueueRow[], view: View): string {
  if (queues.length === 0) return noAgents;
  const { now } = view;
  const columns: readonly Column<QueueRow>[] = [
    { title: 'Agent', textOf: ({ agent }) => agent, styleOf: () => 'bold' },
    { title: 'Id', textOf: ({ id }) => id, goesBelow: 1 },
    { title: 'Waiting', textOf: ({ depth }) => String(depth ?? '?'), align: 'right' },
    {
      title: 'On disk',
      textOf: ({ bytes }) => (bytes === null ? '?' : formatQuantity(bytes, 'bytes')),
      align: 'right',
    },
    { title: 'Oldest', textOf: ({ oldestUnsentAt }) => ageOf(oldestUnsentAt, now), align: 'right' },
    { title: 'As of', textOf: ({ toldAt }) => (toldAt === null ? 'never' : `${ageOf(toldAt, now)} ago`) },
  ];
  return formatTable(queues, columns, view);
}

export function formatTasks(tasks: readonly TaskRow[], view: View): string {
  if (tasks.length === 0) return 'There are no tasks: no agent has been here that runs a monitor.';
  const { now } = view;
  const columns: readonly Column<TaskRow>[] = [
    { title: 'Task', textOf: ({ id }) => id, goesBelow: 1 },
    { title: 'Monitor', textOf: ({ monitor }) => monitor, styleOf: () => 'bold' },
    { title: 'Agent', textOf: ({ agent }) => agent },
    { title: 'Every', textOf: ({ intervalMs }) => formatDuration(intervalMs) },
    {
      title: 'State',
      textOf: ({ state, paused }) => (paused ? 'paused' : state),
      styleOf: ({ state, paused }) => (paused ? 'dim' : styleOf[state]),
    },
    { title: 'Took', textOf: ({ latest }) => latencyOf(latest), align: 'right' },
    { title: 'Seen', textOf: ({ latest }) => ageOf(latest?.startedAt, now), align: 'right' },
    { title: 'Message', textOf: messageOf, goesBelow: 2 },
  ];
  return formatTable(tasks, columns, view);
}

/** The message of the last result, marked with its status if the state is another by now. */
function messageOf({ state, latest }: TaskRow): string {
  if (!latest) return '';
  return latest.status === state ? latest.message : `last ${latest.status}: ${latest.message}`;
}

export function formatMonitors(monitors: readonly MonitorRow[], view: View): string {
  if (monitors.length === 0) return 'There are no monitors; the configuration file says them, or the HTTP interface.';
  const columns: readonly Column<MonitorRow>[] = [
    { title: 'Monitor', textOf: ({ name }) => name, styleOf: () => 'bold' },
    { title: 'Type', textOf: ({ type }) => type },
    { title: 'Target', textOf: ({ target }) => target, goesBelow: 1 },
    { title: 'Every', textOf: ({ interval }) => interval },
    { title: 'Agents', textOf: ({ agents }) => agents?.join(', ') ?? 'all' },
    { title: 'From', textOf: ({ origin }) => origin },
    { title: 'State', textOf: statesOf, styleOf: stateStyle },
  ];
  return formatTable(monitors, columns, view);
}

const maxIdleNamed = 10;

/** Which monitors run nowhere, because no agent has one of their names; empty if each runs somewhere. */
export function formatRunsNowhere(monitors: readonly MonitorRow[], { paint, columns }: View): string {
  const idle = monitors.filter(({ paused, states }) => !paused && gravestFirst.every((state) => states[state] === 0));
  if (idle.length === 0) return '';
  const named = idle.slice(0, maxIdleNamed).map(({ name, agents }) => `${name} (${agents?.join(', ') ?? 'any agent'})`);
  const more = idle.length > maxIdleNamed ? ` and ${idle.length - maxIdleNamed} more` : '';
  return paint(
    'yellow',
    wrap(printable(`Run nowhere, for no such agent has joined: ${named.join(', ')}${more}`), columns).join('\n'),
  );
}

const gravestFirst = ['down', 'degraded', 'unknown', 'up'] as const satisfies readonly Status[];

/** `1 down, 2 up` */
function statesOf({ paused, states }: MonitorRow): string {
  if (paused) return 'paused';
  const said = gravestFirst.filter((state) => states[state] > 0);
  return said.length === 0 ? 'runs nowhere' : said.map((state) => `${states[state]} ${state}`).join(', ');
}

function stateStyle({ paused, states }: MonitorRow): Style {
  const gravest = gravestFirst.find((state) => states[state] > 0);
  return paused || !gravest ? 'dim' : styleOf[gravest];
}

/** One result as a line: `2024-05-15 11:26:17 - Task 01a1fdcf-…, local: web is up, 2.1 ms - 200 OK` */
export function formatTaskResult(
  task: TaskRow & { readonly latest: NonNullable<TaskRow['latest']> },
  paint: Paint,
): string {
  const { id, monitor, agent, latest } = task;
  const latency = latest.latencyMs === null ? '' : `, ${formatMs(latest.latencyMs)}`;
  const verdict = `${paint(styleOf[latest.status], `is ${latest.status}`)}${latency}`;
  const time = paint('dim', formatTime(Date.parse(latest.startedAt)));
  return `${time} - Task ${printable(id)}, ${printable(agent)}: ${printable(monitor)} ${verdict} - ${printable(latest.message)}`;
}

const noAgents = "No agent has joined yet; 'watchkeeper invite' prints the line that joins one.";

/** `3 agents: 2 online, 1 offline` */
function countsOf(agents: readonly AgentRow[]): string {
  const counts = new Map<string, number>();
  for (const { status } of agents) counts.set(status, (counts.get(status) ?? 0) + 1);
  const parts = Array.from(counts, ([status, count]) => `${count} ${printable(status)}`);
  return `${counted(agents.length, 'agent')}: ${parts.join(', ')}`;
}

/** `usb, traffic limited`; a sensor that runs needs no word more. */
function sensorsOf({ sensors }: AgentRow): string {
  return sensors.map(({ sensor, state }) => (state === 'running' ? sensor : `${sensor} ${state}`)).join(', ');
}

function sensorTrouble({ sensor, state, message }: AgentRow['sensors'][number]): string {
  return `${sensor} is ${state}: ${message}`;
}

function latencyOf(latest: TaskRow['latest']): string {
  const { latencyMs = null } = latest ?? {};
  return latencyMs === null ? '' : formatMs(latencyMs);
}

function offsetOf(offsetMs: number): string {
  const rounded = Math.round(offsetMs);
  return `${rounded > 0 ? '+' : ''}${formatMs(rounded)}`;
}

/** How long ago, in its largest unit: `12 s`, `3 h`; `-` for never. */
/** An agent that is there tells it every five seconds; of one that is not, the age of its word counts. */
const freshMs = 15_000;

function depthOf(queue: AgentRow['queue'], now: number): string {
  if (!queue) return '?';
  return now - Date.parse(queue.at) <= freshMs ? String(queue.depth) : `${queue.depth}, ${ageOf(queue.at, now)} ago`;
}

export function ageOf(time: string | null | undefined, now: number): string {
  if (time === null || time === undefined) return '-';
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
