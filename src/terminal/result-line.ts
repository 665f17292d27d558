import type { Result } from '../core/monitor.ts';
import { plain, styleOf, type Paint } from './paint.ts';
import { printable } from '../core/printable.ts';
import { formatMs } from './units.ts';

/** One result as one line of a scrolling log: `2024-01-28 16:28:35 - TCP google.com:80 is up, 22.65 ms - Port 80 is open.` */
export function formatResultLine(result: Result, paint: Paint = plain): string {
  const { monitor, status, latencyMs, message, startedAt } = result;
  const latency = latencyMs === undefined ? '' : `, ${formatMs(latencyMs)}`;
  const verdict = `${paint(styleOf[status], `is ${status}`)}${latency}`;
  return `${paint('dim', formatTime(startedAt))} - ${printable(monitor.name)} ${verdict} - ${printable(message)}`;
}

/** Local time to the second, `2024-01-28 16:28:35`. */
export function formatTime(epochMs: number): string {
  const time = new Date(epochMs);
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
