import { printable } from '../core/printable.ts';
import type { Paint, Style } from './paint.ts';
import { padTo, widthOf, wrap } from './text.ts';

export interface Column<Row> {
  readonly title: string;
  /** Text from outside too: it is made safe to print here. */
  readonly textOf: (row: Row) => string;
  readonly styleOf?: (row: Row) => Style | undefined;
  /** Numbers stand on the right. */
  readonly align?: 'left' | 'right';
  /** Where the table is too wide, this column goes under its row: the lowest number first. */
  readonly goesBelow?: number;
}

interface Setting {
  readonly paint: Paint;
  /** The width for the table, in characters. */
  readonly columns: number;
}

const gap = '  ';
const indent = '    ';
/** A column is not made narrower than that, or than its title. */
const leastWidth = 8;

/** Rows under their titles, aligned. What does not fit goes under its row; then the widest columns are wrapped. Nothing is cut. */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { paint, columns: room }: Setting,
): string {
  const { beside, below } = arranged(rows, columns, room);
  const widths = fitted(rows, beside, room);
  const titles = beside.map(({ title, align }, index) => paint('dim', placed(title, widths[index] ?? 0, align)));
  return [
    titles.join(gap).trimEnd(),
    ...rows.flatMap((row) => [...rowLines(row, beside, { widths, paint }), ...linesBelow(row, below, { paint, room })]),
  ].join('\n');
}

function widthOfColumn<Row>(rows: readonly Row[], { title, textOf }: Column<Row>): number {
  return rows.reduce((width, row) => Math.max(width, widthOf(printable(textOf(row)))), widthOf(title));
}

function widthOfAll(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1);
}

interface Arrangement<Row> {
  readonly beside: readonly Column<Row>[];
  readonly below: readonly Column<Row>[];
}

function arranged<Row>(rows: readonly Row[], columns: readonly Column<Row>[], room: number): Arrangement<Row> {
  const moved = new Set<Column<Row>>();
  const isLeft = (column: Column<Row>): boolean => !moved.has(column);
  const widths = new Map(columns.map((column) => [column, widthOfColumn(rows, column)]));
  const movable = columns.filter(({ goesBelow }) => goesBelow !== undefined);
  for (const column of movable.toSorted((one, other) => (one.goesBelow ?? 0) - (other.goesBelow ?? 0))) {
    if (widthOfAll(columns.filter(isLeft).map((left) => widths.get(left) ?? 0)) <= room) break;
    moved.add(column);
  }
  return { beside: columns.filter(isLeft), below: [...moved] };
}

/** The widths of columns that stand side by side: the widest gives way until all fit. */
function fitted<Row>(rows: readonly Row[], columns: readonly Column<Row>[], room: number): readonly number[] {
  const widths = columns.map((column) => widthOfColumn(rows, column));
  const least = columns.map(({ title }) => Math.max(leastWidth, widthOf(title)));
  for (let excess = widthOfAll(widths) - room; excess > 0; excess--) {
    const widest = widths.reduce(
      (best, width, index) => (width > (least[index] ?? 0) && width > (widths[best] ?? 0) ? index : best),
      widths.findIndex((width, index) => width > (least[index] ?? 0)),
    );
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function rowLines<Row>(
  row: Row,
  columns: readonly Column<Row>[],
  { widths, paint }: { readonly widths: readonly number[]; readonly paint: Paint },
): readonly string[] {
  const cells = columns.map(({ textOf }, index) => wrap(printable(textOf(row)), widths[index] ?? 0));
  const height = Math.max(1, ...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    columns
      .map(({ styleOf, align }, index) => {
        const text = placed(cells[index]?.[line] ?? '', widths[index] ?? 0, align);
        const style = styleOf?.(row);
        return style ? paint(style, text) : text;
      })
      .join(gap)
      .trimEnd(),
  );
}

function linesBelow<Row>(
  row: Row,
  columns: readonly Column<Row>[],
  { paint, room }: { readonly paint: Paint; readonly room: number },
): readonly string[] {
  const texts = columns.map(({ textOf }) => printable(textOf(row))).filter((text) => text !== '');
  if (texts.length === 0) return [];
  return wrap(texts.join(gap), room - indent.length).map((line) => paint('dim', `${indent}${line}`));
}

function placed(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  return align === 'left' ? padTo(text, width) : ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}
