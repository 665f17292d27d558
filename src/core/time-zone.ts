import { z } from 'zod';
import { quoted } from './quoted.ts';

/** An IANA time zone, like Europe/Berlin: a place, which knows its own daylight-saving time, and no fixed offset. */
export const timeZone = z
  .string()
  .trim()
  .max(100)
  .superRefine((text, context) => {
    if (isTimeZone(text)) return;
    const message = `expected an IANA time zone like Europe/Berlin or UTC, got ${quoted(text)}`;
    context.addIssue({ code: 'custom', message, input: text });
  });

function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text).timeZoneId !== '';
  } catch {
    return false;
  }
}

/** `2026-11-28 03:00 Europe/Berlin`; with seconds where there are any. */
export function zonedTimeText(epochMs: number, zone: string): string {
  const time = Temporal.Instant.fromEpochMilliseconds(Math.floor(epochMs)).toZonedDateTimeISO(zone);
  const clock = time.toPlainTime().toString({ smallestUnit: time.second === 0 ? 'minute' : 'second' });
  return `${time.toPlainDate().toString()} ${clock} ${zone}`;
}
