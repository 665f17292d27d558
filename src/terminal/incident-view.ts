import { printable } from '../core/printable.ts';
import type { Status } from '../core/outcome.ts';
import { styleOf, type Paint } from './paint.ts';
import { formatIsoTime } from './result-line.ts';
import { formatLength } from './time-length.ts';
import { statusWord } from './symbols.ts';
import { formatTable } from './table.ts';
import { wrap } from './text.ts';

interface Held {
  readonly reason: string;
  readonly by: string | null;
  readonly since: string;
  readonly until: string | null;
}

/** An incident as the server tells it. Times are ISO 8601. */
export interface IncidentRow {
  readonly id: string;
  readonly subject: { readonly kind: string; readonly name: string };
  readonly state: Status;
  readonly worst: Status;
  readonly verdict: string;
  readonly summary: string;
  readonly scope: string | null;
  readonly target: string | null;
  readonly startedAt: string;
  readonly confirmedAt: string;
  readonly endedAt: string | null;
  readonly endReason: string | null;
  readonly durationMs: number;
  readonly reopened: number;
  readonly acknowledged: { readonly by: string; readonly note: string; readonly until: string } | null;
  readonly leader: string | null;
  readonly members: readonly string[];
  readonly recipients: readonly {
    readonly notifier: string;
    readonly step: number;
    readonly told: string | null;
    readonly toldAt: string | null;
    readonly held: Held | null;
  }[];
}

export interface FullIncidentRow extends IncidentRow {
  readonly facts: readonly { readonly label: string; readonly text: string }[];
  readonly events: readonly {
    readonly at: string;
    readonly kind: string;
    readonly detail: Readonly<Record<string, unknown>>;
  }[];
}

interface View {
  readonly paint: Paint;
  readonly columns: number;
}

export function formatIncidents(incidents: readonly IncidentRow[], view: View): string {
  if (incidents.length === 0) return 'There are no incidents.';
  return formatTable(
    incidents,
    [
      {
        title: 'STATE',
        textOf: stateText,
        styleOf: ({ endedAt, worst }) => (endedAt === null ? styleOf[worst] : 'dim'),
      },
      { title: 'WHAT', textOf: ({ subject }) => subjectText(subject) },
      { title: 'SINCE', textOf: ({ startedAt }) => formatIsoTime(startedAt) },
      { title: 'LASTED', textOf: ({ durationMs }) => formatLength(durationMs) },
      { title: 'WHO HAS IT', textOf: ({ acknowledged }) => acknowledged?.by ?? '', goesBelow: 3 },
      { title: 'SUMMARY', textOf: ({ summary, scope }) => [summary, scope].filter(Boolean).join(' '), goesBelow: 2 },
      { title: 'ID', textOf: ({ id }) => id, goesBelow: 1 },
    ],
    view,
  );
}

function stateText({ endedAt, endReason, state, worst }: IncidentRow): string {
  if (endedAt !== null) return endReason ?? 'ended';
  return state === worst ? statusWord(state) : `${statusWord(state)}, was ${worst}`;
}

function subjectText({ kind, name }: IncidentRow['subject']): string {
  return kind === 'monitor' ? name : `${kind} ${name}`;
}

/** One incident: what, since when, from where, who has it, who was told, and its timeline. */
export function formatIncident(incident: FullIncidentRow, { paint, columns }: View): string {
  const { subject, worst, endedAt, summary, scope, events, id } = incident;
  const head = `${statusWord(worst)} ${subjectText(subject)}: ${[summary, scope].filter(Boolean).join(' ')}`;
  const lines = [
    ...wrap(printable(head), columns).map((line) => paint(endedAt === null ? styleOf[worst] : 'dim', line)),
    ...labelled(factsOf(incident), columns),
    '',
    ...labelled(
      events.map(({ at, kind, detail }) => [formatIsoTime(at), eventText(kind, detail)]),
      columns,
    ),
  ];
  return [...lines, '', `Incident ${id}`].join('\n');
}

type Labelled = readonly [label: string, text: string];

function labelled(rows: readonly Labelled[], columns: number): readonly string[] {
  const width = Math.max(0, ...rows.map(([label]) => label.length)) + 2;
  return rows.flatMap(([label, text]) => wrap(`${label.padEnd(width)}${printable(text)}`, columns, ' '.repeat(width)));
}

function factsOf(incident: FullIncidentRow): readonly Labelled[] {
  const { startedAt, confirmedAt, endedAt, endReason, durationMs, verdict, target, reopened, facts } = incident;
  const ended = endedAt === null ? 'not over' : `${endReason ?? 'ended'} at ${formatIsoTime(endedAt)}`;
  return [
    ['since', `${formatIsoTime(startedAt)}, confirmed at ${formatIsoTime(confirmedAt)}`],
    ['lasted', `${formatLength(durationMs)}, ${ended}`],
    ['verdict', verdict],
    ...(target === null ? [] : [['target', target] as const]),
    ...(reopened === 0 ? [] : [['again', `${reopened} times soon after its end`] as const]),
    ...facts.map(({ label, text }): Labelled => [label, text]),
    ...ackFact(incident),
    ...incident.recipients.map((recipient): Labelled => [recipient.notifier, toldText(recipient)]),
  ];
}

function ackFact({ acknowledged }: IncidentRow): readonly Labelled[] {
  if (!acknowledged) return [['who has it', 'nobody']];
  const { by, note, until } = acknowledged;
  return [['who has it', `${by}${note === '' ? '' : `: ${note}`} (until ${formatIsoTime(until)})`]];
}

function toldText({ told, toldAt, held }: IncidentRow['recipients'][number]): string {
  const last = told === null || toldAt === null ? 'told nothing' : `told ${told} at ${formatIsoTime(toldAt)}`;
  if (!held) return last;
  const until = held.until === null ? '' : ` until ${formatIsoTime(held.until)}`;
  return `${last}; held back: ${held.reason}${held.by === null ? '' : ` (${held.by})`}${until}`;
}

/** `sent: problem to ops-mail`; what is not known by name is shown as it is. */
function eventText(kind: string, detail: Readonly<Record<string, unknown>>): string {
  const text = (key: string): string => (typeof detail[key] === 'string' ? detail[key] : '');
  if (kind === 'sent') return `sent to ${text('notifier')}: ${text('message')}`;
  if (kind === 'held' || kind === 'not-sent') {
    const by = text('by') === '' ? '' : ` (${text('by')})`;
    return `${kind === 'held' ? 'held back from' : 'not sent to'} ${text('notifier')}: ${text('reason')}${by}`;
  }
  if (kind === 'acknowledged') return `taken by ${text('by')}${text('note') === '' ? '' : `: ${text('note')}`}`;
  const rest = Object.entries(detail)
    .filter(([, value]) => typeof value === 'string' && value !== '')
    .map(([, value]) => String(value));
  return rest.length === 0 ? kind : `${kind}: ${rest.join(', ')}`;
}
