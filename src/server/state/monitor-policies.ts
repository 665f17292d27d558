import { createHash } from 'node:crypto';
import type { Milliseconds } from '../../core/duration.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { MonitorPolicy, NotifyStep, Policies } from '../../core/state/policies.ts';
import type { WantedTask } from '../fleet/task-table.ts';

export const defaultConfirmations = 2;
const shortestReopenMs = 300_000;
const longestRetryMs = 20_000;

interface PolicySources {
  readonly monitors: readonly MonitorSpec[];
  readonly wanted: readonly WantedTask[];
  readonly notify: readonly NotifyStep[];
  readonly windows: Policies['windows'];
}

/** What rules the states of these monitors. */
export function policiesOf({ monitors, wanted, notify, windows }: PolicySources): Policies {
  const agents = new Map<string, string[]>();
  for (const { task } of wanted) agents.getOrInsertComputed(task.monitorId, () => []).push(task.agentId);
  const ids = new Map(monitors.map(({ id, name }) => [name, id]));
  for (const { id } of monitors) ids.set(id, id);
  const idsOf = (names: readonly string[]): readonly string[] => names.flatMap((name) => ids.get(name) ?? []);
  return {
    monitors: monitors.map((spec) => policyOf(spec, agents.get(spec.id) ?? [], idsOf)),
    notify,
    windows,
  };
}

/** The time to the next run after one that failed, until it is confirmed. */
export function defaultRetryMs({ intervalMs }: Pick<MonitorSpec, 'intervalMs'>): Milliseconds {
  return Math.min(intervalMs / 4, longestRetryMs);
}

function policyOf(
  { id, name, target, type, options, intervalMs, timeoutMs, paused, isPassive, alert = {} }: MonitorSpec,
  agents: readonly string[],
  idsOf: (names: readonly string[]) => readonly string[],
): MonitorPolicy {
  const { isUpsideDown = false } = alert;
  // What a job says of itself needs no second time.
  const confirmations = isPassive === true ? 1 : (alert.confirmations ?? defaultConfirmations);
  return {
    id,
    name,
    target,
    causes: causesOf(options),
    intervalMs,
    timeoutMs,
    isPaused: paused,
    agents: agents.toSorted(),
    identity: identityOf([type, options, isUpsideDown]),
    confirmations,
    degradedConfirmations: confirmations,
    isUpsideDown,
    quorum: alert.quorum ?? 'majority',
    minVoices: alert.minVoices ?? 1,
    reopenMs: alert.reopenMs ?? Math.max(shortestReopenMs, 3 * intervalMs),
    dependsOn: idsOf(alert.dependsOn ?? []),
    dependsOnAny: alert.dependsOnAny ?? false,
    ...(alert.notify && { notify: alert.notify }),
  };
}

/** Options may hold secrets: only whether they changed is kept. */
function identityOf(measured: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(measured)).digest('base64url').slice(0, 22);
}

/** Monitors of one host fail together. */
function causesOf(options: MonitorSpec['options']): readonly string[] {
  const { host, url } = options;
  const found = typeof host === 'string' ? host : typeof url === 'string' ? URL.parse(url)?.hostname : undefined;
  return found === undefined ? [] : [`host:${found.toLowerCase()}`];
}
