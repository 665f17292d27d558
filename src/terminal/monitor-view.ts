import { formatDuration } from '../core/duration.ts';
import { asWritten, valueOfField, type Field } from '../core/fields.ts';
import type { Monitor } from '../core/monitor.ts';
import { printable } from '../core/printable.ts';
import type { Paint } from './paint.ts';
import { wrap } from './text.ts';

export interface MonitorView {
  readonly paint: Paint;
  readonly columns: number;
  /** Its place on the list. */
  readonly number: number;
}

interface DescribedMonitor {
  readonly monitor: Monitor;
  /** The options of its check type. */
  readonly fields: readonly Field[];
}

const indent = '     ';

/** A monitor with every parameter: its name and times, then its options by the words of the configuration. */
export function formatMonitor({ monitor, fields }: DescribedMonitor, { paint, columns, number }: MonitorView): string {
  const { name, intervalMs, timeoutMs } = monitor;
  const times = `every ${formatDuration(intervalMs)}, timeout ${formatDuration(timeoutMs)}`;
  const options = fields.flatMap((field) => {
    const value = valueOfField(monitor.options, field);
    if (value === undefined || isEmpty(value)) return [];
    return [`${field.path.join('.')}: ${field.secret ? '(secret)' : textOf(asWritten(field, value))}`];
  });
  const title = `${String(number).padStart(3)}. ${paint('bold', printable(name))}, ${times}`;
  const lines = wrap(options.join(', '), columns - indent.length).map((line) => indent + paint('dim', line));
  return [title, ...lines].join('\n');
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function textOf(value: unknown): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
}
