import type { Paint } from './paint.ts';
import { formatIsoTime } from './result-line.ts';
import { formatTable } from './table.ts';

/** A maintenance or a silence. Times are ISO 8601. */
export interface WindowRow {
  readonly id: string;
  readonly name: string;
  readonly monitors: readonly string[];
  readonly origin: string;
  readonly open: boolean;
  readonly from: string | null;
  readonly to: string | null;
  readonly matches: readonly string[];
}

export function formatWindows(
  windows: readonly WindowRow[],
  view: { readonly paint: Paint; readonly columns: number },
): string {
  return formatTable(
    windows,
    [
      {
        title: 'NOW',
        textOf: ({ open }) => (open ? 'open' : 'to come'),
        styleOf: ({ open }) => (open ? 'cyan' : 'dim'),
      },
      { title: 'FROM', textOf: ({ from }) => formatIsoTime(from) },
      { title: 'TO', textOf: ({ to }) => formatIsoTime(to) },
      { title: 'MONITORS', textOf: ({ monitors }) => monitors.join(', ') },
      { title: 'WHY', textOf: ({ name }) => name, goesBelow: 3 },
      { title: 'FROM WHERE', textOf: ({ origin }) => (origin === 'file' ? 'the configuration' : ''), goesBelow: 2 },
      { title: 'ID', textOf: ({ id }) => id, goesBelow: 1 },
    ],
    view,
  );
}
