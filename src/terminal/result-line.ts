import type { Result } from '../core/monitor.ts';
import type { Status } from '../core/outcome.ts';
import { styleOf, type Paint } from './paint.ts';
import { printable } from '../core/printable.ts';
import { formatMs } from './units.ts';

interface LineSetting {
  readonly paint: Paint;
  /** The monitor's status before, where this result changes it. */
  readonly before?: Status | undefined;
}

/**
 * One result as one line of a scrolling log: `2024-01-28 16:28:35 - TCP google.com:80 is up, 22.65 ms - Port 80 is open.`
 * A change is marked: `is down (was up)`.
 */
export function formatResultLine(result: Result, { paint, before }: LineSetting): string {
  const { monitor, status, latencyMs, message, startedAt } = result;
  const latency = latencyMs === undefined ? '' : `, ${formatMs(latencyMs)}`;
  const was = before === undefined ? '' : paint('bold', ` (was ${before})`);
  const verdict = `${paint(styleOf[status], `is ${status}`)}${was}${latency}`;
  return `${paint('dim', formatTime(startedAt))} - ${printable(monitor.name)} ${verdict} - ${printable(message)}`;
}

/** Local time to the second, `2024-01-28 16:28:35`. */
export function formatTime(epochMs: number): string {
  const time = new Date(epochMs);
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** The same with its offset from UTC, `2024-01-28 16:28:35+01:00`, for lists of what was: an hour comes twice when the clocks are set back. */
export function formatZonedTime(epochMs: number): string {
  const offset = -new Date(epochMs).getTimezoneOffset();
  const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
  return `${formatTime(epochMs)}${zone}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** The same of a time in ISO 8601; empty where there is none. */
export function formatIsoTime(time: string | null): string {
  return time === null ? '' : formatTime(Date.parse(time));
}
