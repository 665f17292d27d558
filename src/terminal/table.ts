import { printable } from '../core/printable.ts';
import { padTo, clip, widthOf } from './text.ts';
import type { Paint, Style } from './paint.ts';

export interface Column<Row> {
  readonly title: string;
  /** Text from outside too: it is made safe to print here. */
  readonly textOf: (row: Row) => string;
  readonly styleOf?: (row: Row) => Style | undefined;
  /** Numbers stand on the right. */
  readonly align?: 'left' | 'right';
}

/** A longer text says no more to a reader, and pushes the rest off the screen. */
const maxCellWidth = 60;

/** Rows under their titles, aligned. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], paint: Paint): string {
  const filled = columns.map(({ title, textOf, styleOf, align = 'left' }) => {
    const texts = rows.map((row) => clip(printable(textOf(row)), maxCellWidth));
    const width = Math.max(widthOf(title), ...texts.map(widthOf));
    const place = (text: string): string => (align === 'left' ? padTo(text, width) : padStart(text, width));
    const cells = texts.map((text, index) => {
      const row = rows[index];
      const style = row === undefined ? undefined : styleOf?.(row);
      return style ? paint(style, place(text)) : place(text);
    });
    return [paint('dim', place(title)), ...cells];
  });
  const lines = [...rows.keys(), rows.length].map((line) => filled.map((cells) => cells[line]).join('  '));
  return lines.map((line) => line.trimEnd()).join('\n');
}

function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - widthOf(text))) + text;
}
