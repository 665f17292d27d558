import { formatDuration } from '../core/duration.ts';
import { asWritten, valueAt, type Field } from '../core/fields.ts';
import type { Monitor } from '../core/monitor.ts';
import type { Paint } from './paint.ts';
import { printable } from '../core/printable.ts';

/** A monitor with every parameter: its name and times, then its options by the words of the configuration. */
export function formatMonitor({ monitor, fields }: MonitorView, paint: Paint): string {
  const { name, intervalMs, timeoutMs } = monitor;
  const times = `every ${formatDuration(intervalMs)}, timeout ${formatDuration(timeoutMs)}`;
  const options = fields.flatMap((field) => {
    const value = valueAt(monitor.options, field);
    if (value === undefined || isEmpty(value)) return [];
    return [`${field.path.join('.')}: ${field.secret ? '(secret)' : textOf(asWritten(field, value))}`];
  });
  return `${paint('bold', printable(name))}, ${times}\n     ${paint('dim', options.join(', '))}`;
}

export interface MonitorView {
  readonly monitor: Monitor;
  /** The options of its check type. */
  readonly fields: readonly Field[];
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function textOf(value: unknown): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
}
