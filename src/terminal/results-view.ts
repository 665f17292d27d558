import type { Status } from '../core/outcome.ts';
import { styleOf, type Paint } from './paint.ts';
import { formatTime } from './result-line.ts';
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
  { title: 'Time', textOf: ({ startedAt }) => formatTime(Date.parse(startedAt)) },
  { title: 'Agent', textOf: ({ agent }) => agent, styleOf: () => 'bold' },
  { title: 'Status', textOf: ({ status }) => status, styleOf: ({ status }) => styleOf[status] },
  { title: 'Took', textOf: ({ latencyMs }) => (latencyMs === null ? '' : formatMs(latencyMs)), align: 'right' },
  { title: 'Message', textOf: ({ message }) => message, goesBelow: 1 },
];

/** Results of one monitor, a row each, in local time. */
export function formatResults(
  results: readonly ResultRow[],
  setting: { readonly paint: Paint; readonly columns: number },
): string {
  return formatTable(results, columns, setting);
}
