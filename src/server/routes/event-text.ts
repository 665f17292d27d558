import type { ServerEvent } from '../../core/event.ts';
import { isoTimeOf, isoTimeOrNull } from '../../core/iso-time.ts';
import { resultAnswer, taskSummary } from './tasks.ts';

/** An event of a stream (HTML standard, section 9.2.5). */
export function eventText(type: string, data: unknown, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What watchers are told of an event. */
export function eventAnswer(event: ServerEvent): unknown {
  if (event.type === 'result') return { ...event, result: resultAnswer(event.result) };
  if (event.type === 'record') return recordAnswer(event);
  if (event.type === 'notice') return { ...event, sensor: event.sensor ?? null, lastAt: isoTimeOf(event.lastAt) };
  if (event.type === 'state') return { ...event, at: isoTimeOf(event.at) };
  if (event.type === 'session') return { ...event, until: isoTimeOf(event.until) };
  if (event.type === 'transition') return { ...event, since: isoTimeOf(event.since), at: isoTimeOf(event.at) };
  if (event.type === 'incident') return incidentAnswer(event);
  if (event.type === 'tasks') return { ...event, set: event.set.map(taskSummary) };
  return event;
}

/** With null where people need not be told. */
function recordAnswer(event: Extract<ServerEvent, { type: 'record' }>): unknown {
  return { ...event, at: isoTimeOf(event.at), notice: event.notice ?? null };
}

function incidentAnswer(event: Extract<ServerEvent, { type: 'incident' }>): unknown {
  const { startedAt, confirmedAt, endedAt, unknownSince, ...rest } = event;
  return {
    ...rest,
    startedAt: isoTimeOf(startedAt),
    confirmedAt: isoTimeOf(confirmedAt),
    endedAt: isoTimeOrNull(endedAt),
    unknownSince: isoTimeOrNull(unknownSince),
  };
}
