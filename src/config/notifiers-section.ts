import { z } from 'zod';
import { got } from '../core/issues.ts';
import { messageSeverities } from '../core/message.ts';
import { isSameName } from '../core/names.ts';
import { quoted } from '../core/quoted.ts';
import type { NotifierPlan, QuietHours } from '../notify/notifier-plan.ts';
import { findNotifierType, notifierTypes } from '../notify/registry.ts';
import { isMapping } from './mapping.ts';
import { partOf, type WrittenFile } from './mistake.ts';
import { isSeen } from './monitor-entry.ts';
import { guess, readSection } from './section.ts';

const maxNotifiers = 200;
const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const zone = z
  .string()
  .max(100)
  .superRefine((text, context) => {
    if (isZone(text)) return;
    context.addIssue({ code: 'custom', message: 'expected a time zone, like Europe/Berlin or UTC', input: text });
  });

function isZone(text: string): boolean {
  try {
    Temporal.Now.zonedDateTimeISO(text);
    return !/^[+-]/.test(text);
  } catch {
    return false;
  }
}

/** Minutes since midnight. */
const timeOfDay = z.string().transform((text, context): number => {
  const [, hours = '', minutes = ''] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const total = Number(hours) * 60 + Number(minutes);
  if (hours !== '' && Number(minutes) < 60 && total <= 1440) return total;
  context.addIssue({ code: 'custom', message: 'expected a time of day from 00:00 to 24:00, like 22:00', input: text });
  return z.NEVER;
});

export const quietHoursSchema = z
  .strictObject({
    from: timeOfDay.meta({ description: 'When they begin, by the clock of the zone', example: '"22:00"' }),
    to: timeOfDay.meta({ description: 'When they end; before `from` it is the next day', example: '"07:00"' }),
    zone: zone.meta({ description: 'Time zone', example: 'Europe/Berlin' }),
    days: z.array(z.enum(weekdays)).min(1).max(7).optional().meta({
      description: 'Days on which they begin; every day, unless said otherwise',
      example: '[sat, sun]',
    }),
  })
  .refine(({ from, to }) => from !== to, 'expected quiet hours that end at another time than they begin');

export const notifierEntrySchema = z.strictObject({
  name: z.string().trim().min(1).max(100).superRefine(isSeen).meta({
    description: 'Unique; monitors name it',
    example: 'ops-mail',
  }),
  kind: z.string().max(100).meta({ description: 'A kind of [notifiers.md](notifiers.md)', example: 'email' }),
  options: z.record(z.string(), z.unknown()).nullish().meta({
    description: 'Options of the kind, by name',
    example: '{ host: mail.example, from: wk@example.org, to: [ops@example.org] }',
  }),
  severity: z.enum(messageSeverities).default('info').meta({
    description: 'The least severity that it tells; the end of what it told is always told',
    example: 'critical',
  }),
  tags: z.array(z.string().trim().min(1).max(100)).max(100).default([]).meta({
    description: 'Tells only what has one of these tags; everything, unless said otherwise',
    example: '[database]',
  }),
  quietHours: quietHoursSchema.optional().meta({
    description: 'Critical messages pass; the others are told in one digest at their end, if they still hold',
    example: '{ from: "22:00", to: "07:00", zone: Europe/Berlin }',
  }),
  perMinute: z.int().min(1).max(600).default(30).meta({
    description: 'Messages a minute; what comes beyond is told in one digest',
    example: '10',
  }),
  fallback: z.string().trim().min(1).max(100).optional().meta({
    description: 'Name of the notifier that gets the messages once this one has failed for two minutes',
    example: 'phone',
  }),
  zone: zone.default('UTC').meta({ description: 'Time zone in which times are written', example: 'Europe/Berlin' }),
});
type Entry = z.output<typeof notifierEntrySchema>;

interface WrittenPart {
  readonly written: unknown;
  readonly file: WrittenFile;
}

interface Read {
  readonly plan: NotifierPlan;
  readonly file: WrittenFile;
}

/** Every notifier that is right; the mistakes in the others are reported. Of two with one name the first is taken. */
export function readNotifiers(parts: readonly WrittenPart[]): readonly NotifierPlan[] {
  const found: Read[] = [];
  const entries = parts.flatMap(entriesOf);
  for (const { written, file } of entries) {
    const plan = readNotifier(written, file);
    if (!plan) continue;
    const twin = found.find((other) => isSameName(other.plan.name, plan.name));
    if (twin)
      file.report(['name'], `another notifier, in ${twin.file.lineOf([])}, is called ${quoted(twin.plan.name)}`);
    else found.push({ plan, file });
  }
  // Also those that have a mistake, which is reported already.
  const names = entries.flatMap(({ written }) => (isMapping(written) ? String(written['name']).trim() : []));
  for (const read of found) reportFallback(read, names);
  return found.map(({ plan }) => plan);
}

function entriesOf({ written, file }: WrittenPart): readonly WrittenPart[] {
  const list = written ?? [];
  if (Array.isArray(list) && list.length <= maxNotifiers)
    return list.map((entry: unknown, index) => ({ written: entry, file: partOf(file, [index]) }));
  const what = Array.isArray(list) ? `a list of ${list.length}` : got(written);
  file.report([], `expected a list of at most ${maxNotifiers} notifiers, each with a name and a kind, ${what}`);
  return [];
}

function readNotifier(written: unknown, file: WrittenFile): NotifierPlan | undefined {
  const entry = readSection(notifierEntrySchema, written, file);
  if (!entry) return undefined;
  const type = findNotifierType(entry.kind);
  if (!type) {
    const kinds = notifierTypes.map(({ kind }) => kind);
    file.report(['kind'], `expected a kind of notifier, ${got(entry.kind)}${guess(entry.kind.toLowerCase(), kinds)}`);
    return undefined;
  }
  const options = readSection(type.options, entry.options ?? {}, partOf(file, ['options']));
  if (!options) return undefined;
  // What a variable or a file put there is shown nowhere.
  const secrets = file.referencesIn(['options']).map(({ value }) => value);
  return planOf(entry, { type, options, secrets, zone: entry.zone });
}

function planOf(
  { name, severity, tags, quietHours, perMinute, fallback }: Entry,
  channel: NotifierPlan['channel'],
): NotifierPlan {
  return {
    name,
    channel,
    perMinute,
    minimumSeverity: severity,
    tags,
    ...(quietHours && { quietHours: quietOf(quietHours) }),
    ...(fallback !== undefined && { fallback }),
  };
}

function quietOf({ days, ...hours }: z.output<typeof quietHoursSchema>): QuietHours {
  return { ...hours, ...(days && { days: days.map((day) => weekdays.indexOf(day) + 1) }) };
}

function reportFallback({ plan: { name, fallback }, file }: Read, names: readonly string[]): void {
  if (fallback === undefined) return;
  if (fallback === name) file.report(['fallback'], 'expected another notifier: this one would fall back on itself');
  if (!names.includes(fallback))
    file.report(['fallback'], `expected the name of a notifier, ${got(fallback)}${guess(fallback, names)}`);
}
