import type { Verdict } from '../core/message.ts';
import type { Status } from '../core/outcome.ts';
import { styleOf, type Paint } from './paint.ts';
import { formatTime } from './result-line.ts';
import { formatLength } from './time-length.ts';
import { statusWord } from './symbols.ts';
import { formatTable, type Column } from './table.ts';
import { counted } from './units.ts';

/** The confirmed state of a monitor. Times are ISO 8601. */
export interface StateRowView {
  readonly monitor: string;
  readonly state: Status;
  readonly since: string | null;
  readonly verdict: Verdict | null;
  readonly paused: boolean;
  readonly unstableSince: string | null;
  readonly incident: string | null;
  readonly summary: string | null;
  readonly scope: string | null;
  readonly acknowledged: { readonly by: string; readonly note: string } | null;
  readonly voices: readonly { readonly agent: string; readonly state: Status; readonly message: string | null }[];
}

interface View {
  readonly paint: Paint;
  readonly columns: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

const gravity: Readonly<Record<Status, number>> = { down: 0, degraded: 1, unknown: 2, up: 3 };

/** What is wrong now, the gravest and the oldest first, and a line that counts all. */
export function formatStates(states: readonly StateRowView[], view: View): string {
  const wrong = states
    .filter(({ state, paused }) => state !== 'up' && !paused)
    .toSorted((a, b) => gravity[a.state] - gravity[b.state] || (a.since ?? '').localeCompare(b.since ?? ''));
  const summary = summaryOf(states, wrong);
  return wrong.length === 0 ? summary : `${formatTable(wrong, columnsOf(view), view)}\n\n${summary}`;
}

function columnsOf({ now }: View): readonly Column<StateRowView>[] {
  return [
    { title: 'STATE', textOf: ({ state }) => statusWord(state), styleOf: ({ state }) => styleOf[state] },
    { title: 'MONITOR', textOf: ({ monitor }) => monitor },
    { title: 'SINCE', textOf: ({ since }) => sinceText(since, now) },
    { title: 'WHO HAS IT', textOf: ({ acknowledged }) => acknowledged?.by ?? '', goesBelow: 2 },
    { title: 'WHAT', textOf: whatText, goesBelow: 1 },
  ];
}

function sinceText(since: string | null, now: number): string {
  if (since === null) return 'no result yet';
  return `${formatTime(Date.parse(since))} (${formatLength(now - Date.parse(since))})`;
}

function whatText({ summary, scope, verdict, unstableSince, acknowledged, voices, state }: StateRowView): string {
  const failing = voices.find((voice) => voice.state === state && voice.message !== null);
  const parts = [
    [summary, scope].filter((text) => text !== null).join(' '),
    verdict === null || verdict === 'target' || state === 'unknown' ? '' : `the ${verdict} is to blame`,
    failing?.message ?? '',
    unstableSince === null ? '' : 'unstable',
    acknowledged && acknowledged.note !== '' ? `${acknowledged.by}: ${acknowledged.note}` : '',
  ];
  return parts.filter((text) => text !== '').join('; ');
}

function summaryOf(states: readonly StateRowView[], wrong: readonly StateRowView[]): string {
  if (states.length === 0) return 'There are no monitors.';
  const paused = states.filter((one) => one.paused).length;
  const up = states.filter(({ state, paused }) => state === 'up' && !paused).length;
  const pausedText = paused === 0 ? [] : [`${paused} paused`];
  const allUp = up === 1 ? 'The monitor is up' : `All ${counted(up, 'monitor')} are up`;
  if (wrong.length === 0) return [allUp, ...pausedText].join(', ') + '.';
  const counts = (['down', 'degraded', 'unknown'] as const).flatMap((status) => {
    const count = wrong.filter(({ state }) => state === status).length;
    return count === 0 ? [] : [`${count} ${status}`];
  });
  return [...counts, `${up} up`, ...pausedText].join(', ') + '.';
}
