import type { Status } from '../../core/outcome.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { TaskStates } from '../fleet/task-states.ts';
import type { WantedTask } from '../fleet/task-table.ts';
import type { Health } from '../host/health.ts';
import type { LatestResult } from '../pipeline/latest-results.ts';
import type { AuditCounts } from './audit.ts';
import { single, type MetricFamily, type MetricSample } from './exposition.ts';

export interface MetricsPorts {
  readonly clock: { now(): number };
  readonly health: Health;
  readonly version: string;
  agents(): readonly AgentView[];
  wanted(): readonly WantedTask[];
  latest(taskId: string): LatestResult | undefined;
  readonly states: Pick<TaskStates, 'of'>;
  /** Lines that the server's own log has lost. */
  lostLogLines(): number;
  audit(): AuditCounts;
  connections(): { readonly strangers: number; readonly known: number };
}

/** Established names of the field where there is one, so that existing dashboards and rules go on working. */
export function metricFamilies(ports: MetricsPorts): readonly MetricFamily[] {
  return [
    ...taskFamilies(ports),
    ...agentFamilies(ports.agents()),
    ...flowFamilies(ports.health),
    connectionFamily(ports.connections()),
    ...auditFamilies(ports.audit()),
    ...processFamilies(ports),
  ];
}

interface Measured {
  readonly labels: MetricSample['labels'];
  readonly latest: LatestResult;
}

/** 0 up, 1 degraded, 2 down, 3 unknown: as plug-ins of monitoring tell the shell. */
const stateNumber: Readonly<Record<Status, number>> = { up: 0, degraded: 1, down: 2, unknown: 3 };
const dayMs = 86_400_000;

/**
 * Series of tasks that run. A monitor that was removed or paused has none, and a task of an agent that is away has no
 * `probe_success`. The state of a task that is not measured is unknown.
 */
function taskFamilies(ports: MetricsPorts): readonly MetricFamily[] {
  const agents = new Map(ports.agents().map((view) => [view.id, view]));
  const states: MetricSample[] = [];
  const measured: Measured[] = [];
  for (const wanted of ports.wanted()) {
    const { task } = wanted;
    const agent = agents.get(task.agentId);
    if (task.paused || !agent) continue;
    const { monitorName: monitor, type, target } = task;
    const labels = { monitor, type, target, agent: agent.name, agent_id: agent.id };
    const latest = ports.latest(task.id);
    const { state } = ports.states.of(wanted);
    states.push({ labels, value: stateNumber[state] });
    if (latest && state !== 'unknown') measured.push({ labels, latest });
  }
  const state: MetricFamily = {
    name: 'watchkeeper_monitor_state',
    type: 'gauge',
    help: 'What is known of the target: 0 up, 1 degraded, 2 down, 3 unknown',
    samples: states,
  };
  return [state, ...resultFamilies(measured, ports.clock.now())];
}

function isPresent({ status }: AgentView): boolean {
  return status !== 'offline' && status !== 'revoked';
}

function resultFamilies(measured: readonly Measured[], now: number): readonly MetricFamily[] {
  const family = (name: string, help: string, valueOf: (latest: LatestResult) => number | undefined): MetricFamily => ({
    name,
    type: 'gauge',
    help,
    samples: measured.flatMap(({ labels, latest }) => {
      const value = valueOf(latest);
      return value === undefined ? [] : [{ labels, value }];
    }),
  });
  return [
    family('probe_success', 'Whether the target was up or degraded', ({ result: { status } }) =>
      Number(status !== 'down'),
    ),
    family('probe_duration_seconds', 'How long the run took', ({ result }) => result.durationMs / 1000),
    family('probe_http_status_code', 'Status code of the answer', ({ result }) =>
      result.detail['httpVersion'] === undefined ? undefined : result.metrics['statusCode'],
    ),
    family('probe_ssl_earliest_cert_expiry', 'When the certificate expires, in Unix time', ({ result }) => {
      const { certificateDaysLeft } = result.metrics;
      return certificateDaysLeft === undefined ? undefined : (result.startedAt + certificateDaysLeft * dayMs) / 1000;
    }),
    family('watchkeeper_result_age_seconds', 'How long ago the newest result came', ({ receivedAt }) =>
      Math.max(0, (now - receivedAt) / 1000),
    ),
  ];
}

function agentFamilies(agents: readonly AgentView[]): readonly MetricFamily[] {
  const known = agents.filter(({ status }) => status !== 'revoked');
  const there = known.filter(isPresent);
  return [
    agentFamily('watchkeeper_agent_up', 'Whether the agent is there and well', samplesOf(known, isWell)),
    agentFamily('watchkeeper_agent_queue_entries', 'Entries in the spool of the agent', samplesOf(there, queueDepth)),
    agentFamily('watchkeeper_agent_lag_seconds', 'How late timers of the agent ran', samplesOf(there, lagSeconds)),
    agentFamily(
      'watchkeeper_agent_clock_offset_seconds',
      'Clock of the agent minus clock of the server',
      samplesOf(there, clockOffsetSeconds),
    ),
  ];
}

const isWell = ({ status }: AgentView): number => Number(status === 'online');
const queueDepth = ({ queue }: AgentView): number | undefined => queue?.depth;
const lagSeconds = ({ lagMs }: AgentView): number => lagMs / 1000;
const clockOffsetSeconds = ({ clockOffsetMs }: AgentView): number => clockOffsetMs / 1000;

function samplesOf(
  agents: readonly AgentView[],
  valueOf: (view: AgentView) => number | undefined,
): readonly MetricSample[] {
  return agents.flatMap((view) => {
    const value = valueOf(view);
    return value === undefined ? [] : [{ labels: { agent: view.name, agent_id: view.id }, value }];
  });
}

function agentFamily(name: string, help: string, samples: readonly MetricSample[]): MetricFamily {
  return { name, type: 'gauge', help, samples };
}

function flowFamilies({ counters, faults }: Health): readonly MetricFamily[] {
  return [
    single('counter', ['watchkeeper_results_total', 'Results kept since the start'], counters.results),
    single('counter', ['watchkeeper_late_results_total', 'Results that came after a newer one'], counters.lateResults),
    single('counter', ['watchkeeper_records_total', 'Records of sensors kept since the start'], counters.records),
    single('counter', ['watchkeeper_alarms_total', 'Alarms raised over records since the start'], counters.alarms),
    single('counter', ['watchkeeper_missing_entries_total', 'Entries that will never come'], counters.gaps),
    single('counter', ['watchkeeper_refused_entries_total', 'Entries of agents that were not kept'], counters.refused),
    single(
      'counter',
      ['watchkeeper_crowded_connections_total', 'Connections without a token that were closed for lack of room'],
      counters.crowded,
    ),
    {
      name: 'watchkeeper_faults_total',
      type: 'counter',
      help: 'Connections of agents that ended with a fault',
      samples: [...faults].map(([code, value]) => ({ labels: { code }, value })),
    },
  ];
}

function auditFamilies({ failedLogins, writes }: AuditCounts): readonly MetricFamily[] {
  return [
    single('counter', ['watchkeeper_api_failed_logins_total', 'Requests without the right token'], failedLogins),
    single('counter', ['watchkeeper_api_writes_total', 'Requests that may have changed something'], writes),
  ];
}

function connectionFamily({ strangers, known }: ReturnType<MetricsPorts['connections']>): MetricFamily {
  return {
    name: 'watchkeeper_connections',
    type: 'gauge',
    help: 'Open connections of agents and others, by whether the other end has proved who it is',
    samples: [
      { labels: { proved: 'yes' }, value: known },
      { labels: { proved: 'no' }, value: strangers },
    ],
  };
}

function processFamilies(ports: MetricsPorts): readonly MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const startedAt = ports.clock.now() / 1000 - process.uptime();
  return [
    {
      name: 'watchkeeper_build_info',
      type: 'gauge',
      help: 'Which version this is; the value is 1',
      samples: [{ labels: { version: ports.version, node: process.versions.node }, value: 1 }],
    },
    single(
      'counter',
      ['watchkeeper_log_lines_lost_total', 'Lines that could not be written to the log'],
      ports.lostLogLines(),
    ),
    single('counter', ['process_cpu_seconds_total', 'CPU time of this process'], (user + system) / 1e6),
    single('gauge', ['process_resident_memory_bytes', 'Memory of this process'], process.memoryUsage.rss()),
    single('gauge', ['process_start_time_seconds', 'When this process started, in Unix time'], startedAt),
  ];
}
