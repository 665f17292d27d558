import { AppError } from '../../core/errors.ts';
import type { MonitorRun } from '../../core/state/monitor-record.ts';
import type { Policies } from '../../core/state/policies.ts';
import { Rehearsal, type RehearsedMessage } from '../../core/state/rehearsal.ts';
import type { States } from '../store/states.ts';
import type { History, StoredResult, TimeRange } from '../store/store.ts';

interface RehearsePorts {
  readonly store: Pick<History, 'results'> & Pick<States, 'incidents' | 'incidentEvents'>;
  /** Tasks of the monitors that there are. */
  readonly tasks: readonly { readonly id: string; readonly monitorId: string; readonly agentId: string }[];
  readonly agents: readonly { readonly id: string; readonly name: string }[];
}

/** What would have been told, and what was. */
export interface RehearsalReport {
  readonly results: number;
  readonly would: readonly RehearsedMessage[];
  readonly did: readonly Pick<RehearsedMessage, 'at' | 'notifier' | 'subject' | 'kind'>[];
}

const hourMs = 3_600_000;
/** Of a task in an hour, at one a second and some. */
const maxPerHour = 10_000;
/** Half a minute of work, and no more memory than an hour of results. */
const maxResults = 3_000_000;
const maxIncidents = 10_000;

/** Runs policies over stored results, hour by hour. Nothing is kept, and nobody is told. @throws {AppError} usage, where it is too much */
export async function rehearse(policies: Policies, range: TimeRange, ports: RehearsePorts): Promise<RehearsalReport> {
  const { store, tasks, agents } = ports;
  const rehearsal = new Rehearsal({ policies, agents, from: range.from });
  let results = 0;
  for (let from = range.from; from < range.to; from += hourMs) {
    const hour = { from, to: Math.min(range.to, from + hourMs), limit: maxPerHour };
    const found = await Promise.all(tasks.map(({ id: taskId }) => store.results({ taskId, ...hour })));
    const runs = found.flat().map(runOf);
    results += runs.length;
    if (results > maxResults)
      throw new AppError('usage', `more than ${maxResults} results: rehearse a shorter time, or fewer monitors`);
    for (const run of runs.toSorted((a, b) => a.receivedAt - b.receivedAt)) rehearsal.take(run);
    rehearsal.passTo(hour.to);
  }
  return { results, would: rehearsal.messages, did: await toldIn(range, store) };
}

function runOf(result: StoredResult): MonitorRun {
  const { monitorId, agentId, status, reason, source, message, scheduledAt, receivedAt, clockOffsetMs = 0 } = result;
  const at = scheduledAt - clockOffsetMs;
  return { monitorId, agentId, status, reason, source, message, at, receivedAt: Math.max(at, receivedAt ?? at) };
}

/** What people were told in that time, oldest first. */
async function toldIn({ from, to }: TimeRange, store: RehearsePorts['store']): Promise<RehearsalReport['did']> {
  const incidents = await store.incidents({ from, to, limit: maxIncidents });
  const told = await Promise.all(
    incidents.map(async ({ incident, name: subject }) => {
      const events = await store.incidentEvents(incident.id);
      return events
        .filter(({ kind, at }) => kind === 'sent' && at >= from && at < to)
        .map(({ at, detail: { notifier, message: kind } }) => ({ at, subject, notifier, kind }));
    }),
  );
  // The book of incidents writes the notifier and the kind of the message.
  return told.flat().toSorted((a, b) => a.at - b.at) as RehearsalReport['did'];
}
