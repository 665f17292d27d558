import { printable } from '../core/printable.ts';
import type { RoundTripFigures } from '../core/round-trips.ts';
import type { Paint, Style } from './paint.ts';
import type { ScreenSize } from './screen.ts';
import { clip, padTo, wrap } from './text.ts';

/** One hop of a path that is probed again and again. */
export interface TraceRow {
  readonly hop: number;
  /** Names or addresses of who answered, the latest first. */
  readonly hosts: readonly string[];
  readonly sent: number;
  readonly lossPercent: number;
  readonly figures: RoundTripFigures | undefined;
  readonly error: string | undefined;
}

export interface TracePicture {
  /** `traceroute to example.org (192.0.2.1)`. */
  readonly title: string;
  /** A hint about the keys, or an error. */
  readonly remark: string;
  readonly rows: readonly TraceRow[];
}

// The columns of mtr, in its order.
const columns: readonly (readonly [title: string, width: number, textOf: (row: TraceRow) => string])[] = [
  ['Loss%', 7, ({ lossPercent }) => `${lossPercent.toFixed(1)}%`],
  ['Snt', 6, ({ sent }) => String(sent)],
  ['Last', 7, ({ figures }) => formatRtt(figures?.lastMs)],
  ['Avg', 7, ({ figures }) => formatRtt(figures?.meanMs)],
  ['Best', 7, ({ figures }) => formatRtt(figures?.minMs)],
  ['Wrst', 7, ({ figures }) => formatRtt(figures?.maxMs)],
  ['StDev', 7, ({ figures }) => formatRtt(figures?.stddevMs)],
];
const figuresWidth = columns.reduce((sum, [, width]) => sum + width, 0);
const placeWidth = 4;
/** Rows above the hops: title, remark, a blank one, column titles. */
const fixedRows = 4;
const maxHostWidth = 80;

/** The picture of the moment for a terminal of this size; no line is wider. */
export function traceLines(picture: TracePicture, size: ScreenSize, paint: Paint): readonly string[] {
  const { title, remark, rows } = picture;
  const head = [paint('bold', clip(printable(title), size.columns)), clip(printable(remark), size.columns), ''];
  const table = traceTable(rows, size.columns, paint);
  const shown = table.slice(0, Math.max(1, size.rows - fixedRows + 1));
  return [...head, ...shown];
}

/** Titles, and each hop with all hosts that answered there. */
export function traceTable(rows: readonly TraceRow[], room: number, paint: Paint): readonly string[] {
  const hostWidth = Math.max(8, Math.min(room, placeWidth + maxHostWidth + figuresWidth) - placeWidth - figuresWidth);
  const titles = columns.map(([title, width]) => title.padStart(width)).join('');
  return [
    paint('dim', `${' '.repeat(placeWidth)}${padTo('Host', hostWidth)}${titles}`),
    ...rows.flatMap((row) => hopLines(row, hostWidth, paint)),
  ];
}

function hopLines(row: TraceRow, hostWidth: number, paint: Paint): readonly string[] {
  const [first = '(no answer yet)', ...others] = row.hosts.map(printable);
  const error = row.error === undefined ? [] : [`(${printable(row.error)})`];
  const [head = '', ...below] = [first, ...others, ...error].flatMap((text) => wrap(text, hostWidth));
  const figures = columns.map(([, width, textOf]) => textOf(row).padStart(width)).join('');
  const style = styleOf(row);
  const place = `${String(row.hop).padStart(placeWidth - 2)}. `;
  const line = `${place}${padTo(head, hostWidth)}${style ? paint(style, figures) : figures}`;
  return [line, ...below.map((text) => `${' '.repeat(placeWidth)}${text}`)];
}

function styleOf({ sent, lossPercent, figures }: TraceRow): Style | undefined {
  if (sent > 0 && figures === undefined) return 'dim';
  if (lossPercent >= 40) return 'red';
  return lossPercent > 0 ? 'yellow' : undefined;
}

/** In milliseconds, five columns at most below 100 s; mtr shows one digit, which says nothing of a local network. */
function formatRtt(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 100) return ms.toFixed(2);
  return ms.toFixed(ms < 1000 ? 1 : 0);
}
