import { printable } from '../core/printable.ts';
import type { View } from './fleet-view.ts';
import { formatZonedTime } from './result-line.ts';

/** Where records are not what an agent wrote, or not all of it. */
export interface AlarmRow {
  readonly agent: string;
  readonly sensor: string;
  readonly cause: string;
  /** ISO 8601. */
  readonly at: string;
  readonly message: string;
}

/** `ALARM edited: records of seat-17 (usb): …` */
export function formatAlarm({ agent, sensor, cause, message }: Omit<AlarmRow, 'at'>): string {
  return printable(`ALARM ${cause}: records of ${agent} (${sensor}): ${message}`);
}

/** A line each, the newest last, as they came; `alarms` has the newest first. */
export function formatAlarms(alarms: readonly AlarmRow[], { paint }: Pick<View, 'paint'>): string {
  if (alarms.length === 0) return 'There are no alarms over the records of any agent.';
  const lines = alarms.map(
    (alarm) => `${paint('dim', formatZonedTime(Date.parse(alarm.at)))} - ${paint('red', formatAlarm(alarm))}`,
  );
  return lines.toReversed().join('\n');
}
