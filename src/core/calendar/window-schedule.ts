import type { Milliseconds } from '../duration.ts';

/** Half-open, epoch milliseconds. */
export interface WindowSpan {
  readonly from: number;
  readonly to: number;
}

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** On which dates a window begins. A day of the month that a month has not is skipped; `last` is its last. */
export type WindowDays =
  | { readonly kind: 'daily' }
  | { readonly kind: 'weekly'; readonly days: readonly Weekday[] }
  | { readonly kind: 'monthly'; readonly days: readonly (number | 'last')[] };

/** A window that comes again: by the wall clock of a zone. */
export interface RecurringSchedule {
  readonly kind: 'recurring';
  /** IANA name. */
  readonly zone: string;
  readonly days: WindowDays;
  /** `HH:MM`. */
  readonly start: string;
  /** After this time has passed, or at the next `HH:MM`. */
  readonly end: { readonly afterMs: Milliseconds } | { readonly at: string };
}

/** When a window is open. */
export type WindowSchedule = ({ readonly kind: 'once' } & WindowSpan) | RecurringSchedule;

/** From the 31st of January to that of March, and some. */
const farthestDays = 70;
const cached = new WeakMap<
  RecurringSchedule,
  { readonly near: WindowSpan | undefined; readonly since: number; readonly until: number }
>();

/** The last occurrence that has begun by now, over or not; undefined if none has. */
export function occurrenceNear(schedule: WindowSchedule, now: number): WindowSpan | undefined {
  if (schedule.kind === 'once') return schedule.from <= now ? { from: schedule.from, to: schedule.to } : undefined;
  const known = cached.get(schedule);
  if (known && known.since <= now && now < known.until) return known.near;
  const near = lastBegun(schedule, now);
  const [next] = nextOccurrences(schedule, now, 1);
  cached.set(schedule, { near, since: now, until: next?.from ?? Infinity });
  return near;
}

/** The next occurrences that begin after a time, earliest first. */
export function nextOccurrences(schedule: WindowSchedule, after: number, count: number): readonly WindowSpan[] {
  if (schedule.kind === 'once') return schedule.from > after ? [{ from: schedule.from, to: schedule.to }] : [];
  const found: WindowSpan[] = [];
  const first = dateAt(after, schedule.zone);
  for (let day = 0; day < farthestDays * count && found.length < count; day++) {
    const occurrence = occurrenceOn(schedule, first.add({ days: day }));
    if (occurrence && occurrence.from > after) found.push(occurrence);
  }
  return found;
}

/** The instant of a wall time, epoch milliseconds: of a time that comes twice the first, for one that is left out the moment after the gap. */
export function instantOf(wall: Temporal.PlainDateTime, zone: string): number {
  const earlier = wall.toZonedDateTime(zone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(wall)) return earlier.epochMilliseconds;
  const transition = earlier.getTimeZoneTransition('next');
  return (transition ?? wall.toZonedDateTime(zone, { disambiguation: 'later' })).epochMilliseconds;
}

function lastBegun(schedule: RecurringSchedule, now: number): WindowSpan | undefined {
  const last = dateAt(now, schedule.zone);
  for (let day = 0; day < farthestDays; day++) {
    const occurrence = occurrenceOn(schedule, last.subtract({ days: day }));
    if (occurrence && occurrence.from <= now) return occurrence;
  }
  return undefined;
}

/** Undefined if none begins on this date. */
function occurrenceOn({ days, start, end, zone }: RecurringSchedule, date: Temporal.PlainDate): WindowSpan | undefined {
  if (!fallsOn(days, date)) return undefined;
  const begins = Temporal.PlainTime.from(start);
  const from = instantOf(date.toPlainDateTime(begins), zone);
  if ('afterMs' in end) return { from, to: from + end.afterMs };
  const ends = Temporal.PlainTime.from(end.at);
  const isNextDay = Temporal.PlainTime.compare(ends, begins) <= 0;
  return { from, to: instantOf((isNextDay ? date.add({ days: 1 }) : date).toPlainDateTime(ends), zone) };
}

function fallsOn(days: WindowDays, date: Temporal.PlainDate): boolean {
  if (days.kind === 'daily') return true;
  if (days.kind === 'weekly') return days.days.some((day) => weekdays.indexOf(day) + 1 === date.dayOfWeek);
  return days.days.some((day) => (day === 'last' ? date.daysInMonth : day) === date.day);
}

function dateAt(epochMs: number, zone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(epochMs)).toZonedDateTimeISO(zone).toPlainDate();
}
