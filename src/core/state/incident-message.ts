import { formatDuration } from '../duration.ts';
import { messageIdOf, threadOf, type Message, type MessageKey, type MessageSeverity } from '../message.ts';
import { isoTimeOf } from '../iso-time.ts';
import { durationOf } from './incident.ts';
import type { IncidentRecord } from './incident-record.ts';
import { standingOf } from './settlement.ts';

const headlineLength = 60;
const maxTextLength = 500;
/** Control characters and marks that change the direction of writing would break the line, or say something else. */
// oxlint-disable-next-line no-control-regex -- these are the characters to find
const commanding = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** What people are told of an incident as it is now. */
export function incidentMessage(record: IncidentRecord, key: MessageKey, now: number): Message {
  const { incident, account } = record;
  const { startedAt: since, endedAt, verdict, state } = incident;
  const facts = [
    { label: 'Since', text: isoTimeOf(since) },
    ...(endedAt === undefined ? [] : [{ label: 'Lasted', text: lasting(record, now) }]),
    { label: 'Verdict', text: verdictText[verdict] },
    ...(account.target === undefined ? [] : [{ label: 'Target', text: account.target }]),
    ...account.facts,
    ...(record.members.length > 0
      ? [{ label: 'With it', text: `${record.members.length} more with the same cause` }]
      : []),
    ...(record.ack ? [{ label: 'Taken by', text: record.ack.by }] : []),
  ].map(({ label, text }) => ({ label, text: shown(text) }));
  return {
    id: messageIdOf(key),
    thread: threadOf(incident.id),
    kind: key.kind,
    state,
    severity: severityOf(record),
    subject: shown(record.name),
    headline: headlineOf(record, key, now),
    since,
    ...(endedAt !== undefined && { until: endedAt }),
    verdict,
    facts,
    tags: [incident.subject.kind, ...(verdict === 'target' ? [] : [verdict])],
  };
}

const verdictText = {
  target: 'the target itself',
  path: 'the path: not every place sees it, or it ends on the way',
  observer: 'those who watch, not the target',
} as const;

function severityOf({ incident: { state, worst } }: IncidentRecord): MessageSeverity {
  if (state === 'up') return 'info';
  return worst === 'down' && state !== 'degraded' ? 'critical' : 'warning';
}

function headlineOf(record: IncidentRecord, { kind }: MessageKey, now: number): string {
  const { incident, account } = record;
  const standing = standingOf(incident);
  const scope = account.scope === undefined ? '' : ` (${account.scope})`;
  const [word, text] =
    kind === 'unstable'
      ? ['UNSTABLE', `changes often, now ${incident.state}`]
      : kind === 'stable'
        ? ['STABLE', `now ${incident.state}`]
        : standing === 'up'
          ? ['UP', `after ${lasting(record, now)}`]
          : standing === 'closed'
            ? ['CLOSED', incident.endReason ?? 'ended']
            : standing === 'unknown'
              ? ['UNKNOWN', 'can no longer be seen']
              : [standing.toUpperCase(), `${account.summary}${scope}`];
  const again = incident.reopened > 0 && (standing === 'down' || standing === 'degraded') ? ' again' : '';
  const rest = `: ${text}`;
  return fitted(`${word}${again} `, shown(record.name), shown(rest));
}

/** The name is cut before what is said of it. */
function fitted(word: string, name: string, rest: string): string {
  const end =
    rest.length > headlineLength / 2 && word.length + name.length + rest.length > headlineLength
      ? cut(rest, Math.max(headlineLength / 2, headlineLength - word.length - name.length))
      : rest;
  return word + cut(name, Math.max(10, headlineLength - word.length - end.length)) + end;
}

function lasting({ incident }: IncidentRecord, now: number): string {
  const seconds = Math.max(1, Math.round(durationOf(incident, now) / 1000));
  return formatDuration(seconds < 3600 ? seconds * 1000 : Math.round(seconds / 60) * 60_000);
}

function shown(text: string): string {
  return cut(text.toWellFormed().replaceAll(commanding, '\uFFFD'), maxTextLength);
}

/** By code points, so that no character is cut in two. */
function cut(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, Math.max(0, Math.floor(length) - 1)).join('')}…`;
}
