import type { Metric } from '../core/metrics.ts';
import type { Outcome } from '../core/outcome.ts';
import { printable } from '../core/printable.ts';
import { detailRows, isShownOnRequest, isWorthAskingFor, type DetailRow } from './detail-rows.ts';
import { styleOf, type Paint } from './paint.ts';
import { statusWord } from './symbols.ts';
import { padTo, widthOf, wrap } from './text.ts';
import { formatMs, formatQuantity, nameWords } from './units.ts';

export interface OutcomeView {
  readonly paint: Paint;
  /** Width of the terminal; longer values are wrapped. */
  readonly columns: number;
  /** What the check type measures, for units and meanings. */
  readonly metrics: readonly Metric[];
  /** Shows all that was seen: headers, certificates, every section of an answer. */
  readonly isVerbose: boolean;
  /** Details of steps that were shown while they lasted, as JSON: they are not said again. */
  readonly told?: ReadonlySet<string>;
}

interface Row extends DetailRow {
  readonly remark?: string;
}

const margin = '   ';
const gap = '  ';
/** Values keep at least this many columns, however narrow the terminal is. */
const leastRoom = 10;
/** A value may take two lines before it is shown entry by entry. */
const linesForValue = 2;
const usualLabelWidth = 20;

/** One outcome for a person: the verdict, then everything measured and seen, aligned. */
export function formatOutcome(outcome: Outcome, view: OutcomeView): string {
  const shown = Object.entries(outcome.detail).filter(([key]) => view.isVerbose || !isShownOnRequest(key));
  const room = linesForValue * Math.max(leastRoom, view.columns - usualLabelWidth);
  const rows: readonly Row[] = [
    ...metricRows(outcome, view.metrics),
    ...shown.flatMap((entry) => detailRows(entry, { room, told: view.told ?? new Set() })),
  ];
  return [...verdictLines(outcome, view), ...tableLines(rows, view), ...hintLines(outcome, view)].join('\n');
}

function verdictLines({ status, latencyMs, reason, source, message }: Outcome, view: OutcomeView): readonly string[] {
  const { paint, columns } = view;
  const latency = latencyMs === undefined ? '' : `  ${formatMs(latencyMs)}`;
  const blame = reason ? `  [${reason}${source ? `, ${source}` : ''}]` : '';
  const word = statusWord(status);
  const lines = wrap(`${word}${latency}  ${printable(message)}${blame}`, columns);
  // Colours come after wrapping: their codes have no width.
  return lines.map((line, index) => {
    const end = blame !== '' && index === lines.length - 1 && line.endsWith(blame.trim()) ? blame.trim() : '';
    const text = end === '' ? line : line.slice(0, -end.length);
    const painted = index === 0 ? paint('bold', paint(styleOf[status], word)) + text.slice(word.length) : text;
    return end === '' ? painted : painted + paint('dim', end);
  });
}

function metricRows(outcome: Outcome, metrics: readonly Metric[]): readonly Row[] {
  return metrics.flatMap(({ name, unit, meaning }) => {
    const value = outcome.metrics[name];
    if (value === undefined) return [];
    return [{ label: nameWords(name), value: formatQuantity(value, unit), remark: meaning }];
  });
}

/** Labels, values and remarks in three columns; in two where that leaves remarks no room. */
function tableLines(rows: readonly Row[], { paint, columns }: OutcomeView): readonly string[] {
  const labelWidth = Math.max(0, ...rows.map(({ label }) => widthOf(label)));
  const valueWidth = Math.max(0, ...rows.map(({ value, remark }) => (remark ? widthOf(value) : 0)));
  const room = Math.max(leastRoom, columns - margin.length - labelWidth - gap.length);
  const roomForRemark = room - valueWidth - gap.length;
  return rows.flatMap(({ label, value, remark }) => {
    const isBeside = remark !== undefined && roomForRemark >= leastRoom;
    const values = isBeside ? [value] : [...wrap(value, room), ...(remark === undefined ? [] : wrap(remark, room))];
    const remarks = isBeside ? wrap(remark, roomForRemark) : [];
    return Array.from({ length: Math.max(values.length, remarks.length) }, (_, index) => {
      const start = `${margin}${paint('dim', padTo(index === 0 ? label : '', labelWidth))}${gap}`;
      const shown = values[index] ?? '';
      if (!isBeside) return `${start}${shown}`.trimEnd();
      return `${start}${padTo(shown, valueWidth)}${gap}${paint('dim', remarks[index] ?? '')}`;
    });
  });
}

/** There is more to see. */
function hintLines({ detail }: Outcome, { isVerbose, paint, columns }: OutcomeView): readonly string[] {
  const more = Object.keys(detail).filter(isWorthAskingFor).map(nameWords);
  if (isVerbose || more.length === 0) return [];
  return wrap(`-v shows ${more.join(', ')}`, columns - margin.length).map((line) => paint('dim', `${margin}${line}`));
}
