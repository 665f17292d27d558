import type { QuietHours } from '../../notify/notifier-plan.ts';

const minutesOfDay = 1440;

/** When the quiet hours end that hold now, epoch milliseconds; undefined outside of them. */
export function quietUntil(hours: QuietHours, nowMs: number): number | undefined {
  const now = Temporal.Instant.fromEpochMilliseconds(Math.floor(nowMs)).toZonedDateTimeISO(hours.zone);
  // A span of yesterday may last until today.
  for (const date of [now.toPlainDate().subtract({ days: 1 }), now.toPlainDate()]) {
    if (hours.days && !hours.days.includes(date.dayOfWeek)) continue;
    const end = hours.to > hours.from ? date : date.add({ days: 1 });
    const fromMs = instantOf(date, hours.from, hours.zone);
    const toMs = instantOf(end, hours.to, hours.zone);
    if (nowMs >= fromMs && nowMs < toMs) return toMs;
  }
  return undefined;
}

/** A time that the clocks leave out is the first moment after the gap; one that they show twice is the first (faces C7). */
function instantOf(date: Temporal.PlainDate, minutes: number, zone: string): number {
  const time = date.toPlainDateTime().add({ minutes: Math.min(minutes, minutesOfDay) });
  const found = time.toZonedDateTime(zone, { disambiguation: 'earlier' });
  if (found.toPlainDateTime().equals(time)) return found.epochMilliseconds;
  return found.getTimeZoneTransition('next')?.epochMilliseconds ?? found.epochMilliseconds;
}
