import { instantOf } from '../../core/calendar/window-schedule.ts';
import type { QuietHours } from '../../notify/notifier-plan.ts';

/** When the quiet hours end that hold now, epoch milliseconds; undefined outside of them. */
export function quietUntil(hours: QuietHours, nowMs: number): number | undefined {
  const now = Temporal.Instant.fromEpochMilliseconds(Math.floor(nowMs)).toZonedDateTimeISO(hours.zone);
  // A span of yesterday may last until today.
  for (const date of [now.toPlainDate().subtract({ days: 1 }), now.toPlainDate()]) {
    if (hours.days && !hours.days.includes(date.dayOfWeek)) continue;
    const end = hours.to > hours.from ? date : date.add({ days: 1 });
    const fromMs = instantOf(timeOf(date, hours.from), hours.zone);
    const toMs = instantOf(timeOf(end, hours.to), hours.zone);
    if (nowMs >= fromMs && nowMs < toMs) return toMs;
  }
  return undefined;
}

/** `minutes` is 0 to 1440: midnight at the end of the day is that at the beginning of the next. */
function timeOf(date: Temporal.PlainDate, minutes: number): Temporal.PlainDateTime {
  return date.toPlainDateTime().add({ minutes });
}
