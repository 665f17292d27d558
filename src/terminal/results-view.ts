import type { Status } from '../core/outcome.ts';
import { printable } from '../core/printable.ts';
import { styleOf, type Paint } from './paint.ts';
import { formatZonedTime } from './result-line.ts';
import { formatTable, type Column } from './table.ts';
import { formatMs } from './units.ts';

/** A result as the server tells of it; times are ISO 8601. */
export interface ResultRow {
  readonly agent: string;
  readonly startedAt: string;
  readonly status: Status;
  readonly latencyMs: number | null;
  readonly message: string;
}

const columns: readonly Column<ResultRow>[] = [
  { title: 'Time', textOf: ({ startedAt }) => formatZonedTime(Date.parse(startedAt)) },
  { title: 'Agent', textOf: ({ agent }) => agent, styleOf: () => 'bold' },
  { title: 'Status', textOf: ({ status }) => status, styleOf: ({ status }) => styleOf[status] },
  { title: 'Took', textOf: ({ latencyMs }) => (latencyMs === null ? '' : formatMs(latencyMs)), align: 'right' },
  { title: 'Message', textOf: ({ message }) => message, goesBelow: 1 },
];

/** Time in which an agent ran nothing or was not heard, ISO 8601; `to` is null while that lasts. */
export interface AbsenceRow {
  readonly agent: string;
  readonly from: string;
  readonly to: string | null;
  readonly reason: string;
}

/** A cause that only a newer server knows is shown by its own word. */
const reasons: Readonly<Record<string, string>> = {
  stopped: 'it was stopped',
  restarted: 'its machine was restarted',
  killed: 'it was killed or crashed',
  'lost-power': 'its machine lost power or was reset',
  asleep: 'its machine was asleep',
  paused: 'it was halted, or its machine was overloaded',
  unheard: 'the server did not hear it',
};

/** `Nothing is known from local from 2026-05-15 11:26:17Z to 2026-05-15 11:31:02Z: it was stopped.` */
export function formatAbsences(absences: readonly AbsenceRow[], { paint }: { readonly paint: Paint }): string {
  const lines = absences.map(({ agent, from, to, reason }) => {
    const [begin, end] = [from, to].map((time) => time !== null && formatZonedTime(Date.parse(time)));
    const until = end === false ? 'until now' : `to ${end}`;
    const why = Object.hasOwn(reasons, reason) ? reasons[reason] : reason;
    return paint('yellow', printable(`Nothing is known from ${agent} from ${begin} ${until}: ${why}.`));
  });
  return lines.join('\n');
}

/** Results of one monitor, a row each, in local time. */
export function formatResults(
  results: readonly ResultRow[],
  setting: { readonly paint: Paint; readonly columns: number },
): string {
  return formatTable(results, columns, setting);
}
