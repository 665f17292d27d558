import { z } from 'zod';
import { weekdays } from '../core/calendar/window-schedule.ts';
import { duration } from '../core/duration.ts';
import { got } from '../core/issues.ts';
import type { AlertWindow } from '../core/state/policies.ts';
import { partOf, type WrittenFile } from './mistake.ts';
import { readSection } from './section.ts';

const maxWindows = 10_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;
const instant = z.iso
  .datetime({ offset: true, error: 'expected a time with its zone, like 2026-12-02T18:00:00+01:00' })
  .transform(Date.parse);
const wallTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'expected a time like 02:30');

export const windowEntrySchema = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .meta({ description: 'Unique among these; people are told it', example: 'Friday deploy' }),
  monitors: z.array(z.string().trim().min(1).max(200)).min(1).max(1000).default(['*']).meta({
    description: 'Names of monitors, `*` for any run of characters; every monitor, unless said otherwise',
    example: '[web-*]',
  }),
  from: instant
    .optional()
    .meta({ description: 'When it begins, if it comes once', example: '2026-12-02T18:00:00+01:00' }),
  until: instant
    .optional()
    .meta({ description: 'When it ends, if it comes once', example: '2026-12-02T20:00:00+01:00' }),
  zone: z.string().refine(isZone, 'expected the name of a time zone, like Europe/Berlin').optional().meta({
    description: 'Whose wall clock counts, if it comes again and again',
    example: 'Europe/Berlin',
  }),
  start: wallTime.optional().meta({
    description:
      'When it begins. A time that the clock leaves out is the first moment after it, of one that comes twice the first',
    example: '"02:30"',
  }),
  end: wallTime
    .optional()
    .meta({ description: 'When it ends, by the wall clock; the next such time', example: '"04:00"' }),
  lasts: duration({ min: minuteMs, max: 31 * dayMs })
    .optional()
    .meta({
      description: 'How long it lasts, instead of an end',
      example: '90m',
    }),
  days: z.array(z.enum(weekdays)).min(1).max(7).optional().meta({
    description: 'Days of the week on which it begins; every day, unless said otherwise',
    example: '[sat, sun]',
  }),
  monthDays: z
    .array(z.union([z.int().min(1).max(31), z.literal('last')]))
    .min(1)
    .max(31)
    .optional()
    .meta({
      description: 'Days of the month on which it begins: a month without such a day is left out; last is its last',
      example: '[1, last]',
    }),
});
type WrittenWindow = z.output<typeof windowEntrySchema>;

/** Every window that is right; the mistakes in the others are reported. */
export function readWindows(kind: AlertWindow['kind'], written: unknown, file: WrittenFile): readonly AlertWindow[] {
  const list = written ?? [];
  if (!Array.isArray(list) || list.length > maxWindows) {
    const what = Array.isArray(list) ? `a list of ${list.length}` : got(written);
    file.report([], `expected a list of at most ${maxWindows} windows, each with a name and times, ${what}`);
    return [];
  }
  const names = new Set<string>();
  return list.flatMap((entry: unknown, index) => {
    const place = partOf(file, [index]);
    const read = readSection(windowEntrySchema, entry, place);
    const schedule = read && scheduleOf(read, place);
    if (!schedule) return [];
    const { name, monitors } = read;
    if (names.has(name)) place.report(['name'], 'expected a name of its own, and another window has it');
    if (names.has(name)) return [];
    names.add(name);
    return [{ id: `file:${kind}:${name}`, kind, name, monitors, schedule }];
  });
}

function scheduleOf(written: WrittenWindow, file: WrittenFile): AlertWindow['schedule'] | undefined {
  const { from, until, start, zone } = written;
  if (start === undefined && zone === undefined && from !== undefined && until !== undefined) {
    if (until > from) return onceOf(written, { from, to: until }, file);
    file.report(['until'], 'expected an end after its beginning');
    return undefined;
  }
  if (from === undefined && until === undefined && start !== undefined && zone !== undefined)
    return recurringOf(written, { start, zone }, file);
  file.report([], 'expected from and until, or zone and start with end or lasts');
  return undefined;
}

function onceOf(
  { end, lasts, days, monthDays }: WrittenWindow,
  { from, to }: { readonly from: number; readonly to: number },
  file: WrittenFile,
): AlertWindow['schedule'] | undefined {
  if ([end, lasts, days, monthDays].every((value) => value === undefined)) return { kind: 'once', from, to };
  file.report([], 'expected from and until alone: it comes once');
  return undefined;
}

function recurringOf(
  { end, lasts, days, monthDays }: WrittenWindow,
  { start, zone }: { readonly start: string; readonly zone: string },
  file: WrittenFile,
): AlertWindow['schedule'] | undefined {
  if ((end === undefined) === (lasts === undefined)) {
    file.report([], 'expected either end or lasts');
    return undefined;
  }
  if (days && monthDays) {
    file.report(['monthDays'], 'expected days or monthDays, and both are given');
    return undefined;
  }
  const when = days
    ? ({ kind: 'weekly', days } as const)
    : monthDays
      ? ({ kind: 'monthly', days: monthDays } as const)
      : ({ kind: 'daily' } as const);
  return { kind: 'recurring', zone, days: when, start, end: end === undefined ? { afterMs: lasts ?? 0 } : { at: end } };
}

function isZone(name: string): boolean {
  try {
    Temporal.Now.zonedDateTimeISO(name);
    return !/^[+-]/.test(name);
  } catch {
    return false;
  }
}
