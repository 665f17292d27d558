import type { Metric } from '../core/metrics.ts';
import type { JsonObject, JsonValue, Outcome, Status } from '../core/outcome.ts';
import { styleOf, type Paint } from './paint.ts';
import { printable } from '../core/printable.ts';
import { clip, padTo, widthOf } from './text.ts';
import { formatMs, formatQuantity } from './units.ts';

interface View {
  readonly paint: Paint;
  /** Width of the terminal; longer values are cut. */
  readonly columns: number;
  /** What the check type measures, for units and meanings. */
  readonly metrics: readonly Metric[];
  /** Details of steps that were shown while they lasted, as JSON: they are not said again. */
  readonly told?: ReadonlySet<string>;
}

interface Row {
  readonly label: string;
  readonly value: string;
  readonly remark?: string;
}

const symbolOf: Readonly<Record<Status, string>> = { up: '✔', degraded: '▲', down: '✘', unknown: '?' };

/** One outcome for a person: the verdict, then everything measured and seen, aligned. */
export function formatOutcome(outcome: Outcome, view: View): string {
  const rows = [...metricRows(outcome, view.metrics), ...detailRows(outcome.detail, view.told)];
  const labelWidth = Math.max(0, ...rows.map(({ label }) => widthOf(label)));
  const valueWidth = Math.max(0, ...rows.map(({ value, remark }) => (remark ? widthOf(value) : 0)));
  const lines = rows.map(({ label, value, remark = '' }) => {
    const text = clip(value, Math.max(20, view.columns - labelWidth - 5));
    const told = remark && `  ${view.paint('dim', clip(remark, view.columns - labelWidth - valueWidth - 7))}`;
    return `   ${view.paint('dim', padTo(label, labelWidth))}  ${remark ? padTo(text, valueWidth) : text}${told}`;
  });
  return [verdictOf(outcome, view.paint), ...lines].join('\n');
}

function verdictOf({ status, latencyMs, reason, source, message }: Outcome, paint: Paint): string {
  const verdict = paint('bold', paint(styleOf[status], `${symbolOf[status]} ${status}`));
  const latency = latencyMs === undefined ? '' : `  ${formatMs(latencyMs)}`;
  const blame = reason ? paint('dim', `  [${reason}${source ? `, ${source}` : ''}]`) : '';
  return `${verdict}${latency}  ${printable(message)}${blame}`;
}

function metricRows(outcome: Outcome, metrics: readonly Metric[]): readonly Row[] {
  return metrics.flatMap(({ name, unit, meaning }) => {
    const value = outcome.metrics[name];
    if (value === undefined) return [];
    return [{ label: wordsOf(withoutUnit(name)), value: formatQuantity(value, unit), remark: meaning }];
  });
}

function detailRows(detail: JsonObject, told: ReadonlySet<string> = new Set()): readonly Row[] {
  return Object.entries(detail).flatMap(([key, value]): readonly Row[] => {
    const label = printable(wordsOf(key));
    if (!isListOfObjects(value)) return [{ label, value: textOf(value) }];
    const news = value.filter((item) => !told.has(JSON.stringify(item)));
    return news.map((item, index) => ({ label: index === 0 ? label : '', value: textOf(item) }));
  });
}

function isListOfObjects(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value) && value.some((item: JsonValue) => typeof item === 'object' && item !== null);
}

/** A value in words, without the punctuation of JSON. */
function textOf(value: JsonValue): string {
  if (value === null) return '-';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return printable(value);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toFixed(3)));
  if (isList(value)) return value.map(textOf).join(', ');
  return Object.entries(value)
    .map(([key, inner]) => `${printable(wordsOf(key))} ${textOf(inner)}`)
    .join(', ');
}

// Array.isArray alone does not narrow a readonly array.
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function withoutUnit(name: string): string {
  return name.replace(/(?:Ms|Percent|Bytes|Seconds|Days)$/, '');
}

/** `firstByte` → `first byte`. */
function wordsOf(name: string): string {
  return name.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
}
