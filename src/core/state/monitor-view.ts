import { windowFacts } from './alert-windows.ts';
import type { SubjectView } from './incident-record.ts';
import { accountOf } from './monitor-account.ts';
import type { MonitorRecord } from './monitor-record.ts';
import { behindParents } from './parents.ts';
import type { Policies } from './policies.ts';

interface Surroundings {
  readonly monitors: ReadonlyMap<string, MonitorRecord>;
  readonly policies: Policies;
  readonly agentName: (agentId: string) => string;
}

/** A monitor as its incidents see it. */
export function monitorView(monitor: MonitorRecord, { monitors, policies, agentName }: Surroundings): SubjectView {
  const { policy, row, voices } = monitor;
  const { id, name, reopenMs, isPaused, notify } = policy;
  return {
    subject: { kind: 'monitor', id },
    name,
    steps: notify ?? policies.notify,
    reopenMs,
    isPaused,
    flapping: row.flapping,
    account: accountOf(monitor, agentName),
    suppressions(now, { confirmedAt }) {
      const parents = policy.dependsOn.flatMap((parentId) => monitors.get(parentId) ?? []);
      const parent = behindParents(monitor, parents, { confirmedAt, now });
      const heardAt = Math.max(0, ...[...voices.values()].map((entry) => entry.heardAt));
      return { ...windowFacts(policies.windows, { name, heardAt, now }), ...(parent && { parent }) };
    },
  };
}
