import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Hono } from 'hono';
import type { LatestResult } from '../pipeline/latest-results.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { Health } from '../host/health.ts';
import type { Task } from '../../core/task.ts';

export interface StatusPorts {
  readonly health: Health;
  agents(): readonly AgentView[];
  tasks(): readonly (Task & { readonly agentId: string })[];
  latest(): readonly LatestResult[];
}

/** /healthz and /metrics: for machines that ask without a token, and only numbers and names. */
export function addStatus(app: Hono, ports: StatusPorts): void {
  const loopDelay = monitorEventLoopDelay({ resolution: loopResolutionMs });
  loopDelay.enable();
  app.get('/healthz', (context) => {
    const { isWell, problems } = ports.health.report();
    return context.json({ status: isWell ? 'ok' : 'failing', problems }, isWell ? 200 : 503);
  });
  app.get('/metrics', (context) => {
    const families = [...familiesOf(ports), lagFamily(loopDelay)];
    loopDelay.reset();
    return context.text(families.map(textOf).join(''), 200, { 'Content-Type': 'text/plain; version=0.0.4' });
  });
}

const loopResolutionMs = 10;

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}

function familiesOf(ports: StatusPorts): readonly Family[] {
  return [...checkFamilies(ports), ...agentFamilies(ports.agents()), ...flowFamilies(ports.health)];
}

/** A tick of the histogram is no lag. */
function lagFamily(delay: { percentile(percent: number): number }): Family {
  return {
    name: 'watchkeeper_event_loop_lag_seconds',
    type: 'gauge',
    help: 'How late timers of this server ran since /metrics was read before',
    samples: [0.5, 0.99, 0.999, 1].map((quantile) => ({
      labels: { quantile: String(quantile) },
      value: Math.max(0, delay.percentile(100 * quantile) / 1e9 - loopResolutionMs / 1000),
    })),
  };
}

/** The established names of the field, so that existing dashboards and rules go on working. */
function checkFamilies(ports: StatusPorts): readonly Family[] {
  const names = new Map(ports.agents().map(({ id, name }) => [id, name]));
  const byId = new Map(ports.tasks().map((task) => [task.id, task]));
  const known = ports.latest().flatMap(({ agentId, result }) => {
    const task = byId.get(result.taskId);
    if (!task) return [];
    const { monitorName: monitor, type, target } = task;
    return [{ labels: { monitor, type, target, agent: names.get(agentId) ?? agentId }, result }];
  });
  const family = (name: string, help: string, valueOf: (result: LatestResult['result']) => number): Family => ({
    name,
    type: 'gauge',
    help,
    samples: known.map(({ labels, result }) => ({ labels, value: valueOf(result) })),
  });
  return [
    family('probe_success', 'Whether the target was up or degraded', ({ status }) =>
      Number(status === 'up' || status === 'degraded'),
    ),
    family('probe_duration_seconds', 'How long the run took', ({ durationMs }) => durationMs / 1000),
    family('watchkeeper_unknown', 'Whether nothing can be said of the target', ({ status }) =>
      Number(status === 'unknown'),
    ),
  ];
}

function agentFamilies(agents: readonly AgentView[]): readonly Family[] {
  const family = (name: string, help: string, valueOf: (view: AgentView) => number): Family => ({
    name,
    type: 'gauge',
    help,
    samples: agents.map((view) => ({ labels: { agent: view.name }, value: valueOf(view) })),
  });
  return [
    family('watchkeeper_agent_online', 'Whether the agent is there and well', ({ status }) =>
      Number(status === 'online'),
    ),
    family('watchkeeper_agent_queue_entries', 'Entries in the spool of the agent', ({ queue }) => queue.depth),
    family('watchkeeper_agent_lag_seconds', 'How late timers of the agent ran', ({ lagMs }) => lagMs / 1000),
  ];
}

function flowFamilies({ counters, faults }: Health): readonly Family[] {
  return [
    counterOf('watchkeeper_results_total', 'Results kept since the start', counters.results),
    counterOf('watchkeeper_late_results_total', 'Results kept that came after a newer one', counters.lateResults),
    counterOf('watchkeeper_records_total', 'Records of sensors kept since the start', counters.records),
    counterOf('watchkeeper_alarms_total', 'Alarms raised over records since the start', counters.alarms),
    counterOf('watchkeeper_missing_entries_total', 'Entries that agents said will never come', counters.gaps),
    counterOf('watchkeeper_refused_entries_total', 'Entries of agents that were not kept', counters.refused),
    {
      name: 'watchkeeper_faults_total',
      type: 'counter',
      help: 'Connections of agents that ended with a fault',
      samples: [...faults].map(([code, value]) => ({ labels: { code }, value })),
    },
  ];
}

function counterOf(name: string, help: string, value: number): Family {
  return { name, type: 'counter', help, samples: [{ labels: {}, value }] };
}

function textOf({ name, type, help, samples }: Family): string {
  const lines = samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

/** Label values escape backslash, quote and line feed (the text format, version 0.0.4). */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}
