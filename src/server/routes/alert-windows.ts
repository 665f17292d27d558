import { z } from 'zod';
import { occurrenceNear } from '../../core/calendar/window-schedule.ts';
import { duration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { givenTime, isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { quoted } from '../../core/quoted.ts';
import type { AlertWindow } from '../../core/state/policies.ts';
import { fitsWildcard } from '../../core/wildcard.ts';
import type { States } from '../store/states.ts';
import { defineRoute, type Route } from './route.ts';

type WindowKind = AlertWindow['kind'];

export interface WindowsPorts {
  readonly states: Pick<States, 'alertWindows' | 'saveAlertWindow' | 'removeAlertWindow'>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly monitorNames: () => readonly string[];
  /** Those of the configuration. */
  readonly configured: () => readonly AlertWindow[];
}

export const windowSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    monitors: z.array(z.string()).meta({ description: 'Names, or patterns with *' }),
    origin: z.enum(['file', 'api']),
    open: z.boolean().meta({ description: 'Whether it counts now' }),
    from: isoTimeSchema.nullable().meta({ description: 'Of the time that is open now, or comes next, where known' }),
    to: isoTimeSchema.nullable(),
    matches: z.array(z.string()).meta({ description: 'The monitors that it is for now' }),
  })
  .meta({ id: 'AlertWindow' });
export type WindowAnswer = z.output<typeof windowSchema>;

const dayMs = 86_400_000;
const maxMs = 366 * dayMs;
const paths = { maintenance: 'maintenance', silence: 'silences' } as const satisfies Record<WindowKind, string>;

const body = z
  .strictObject({
    monitors: z.array(z.string().trim().min(1).max(200)).min(1).max(1000).meta({
      description: 'Names of monitors, or patterns with *',
    }),
    by: z.string().trim().min(1).max(100).meta({ description: 'Who wants it' }),
    reason: z.string().trim().max(500).default('').meta({ description: 'What for; people see it' }),
    from: givenTime.optional().meta({ description: 'Now, unless said otherwise' }),
    to: givenTime.optional(),
    for: duration({ min: 60_000, max: maxMs }).optional().meta({ description: 'How long, instead of `to`' }),
    dryRun: z.boolean().default(false).meta({ description: 'Only say which monitors it would be for' }),
  })
  .refine(({ to, for: forMs }) => (to === undefined) !== (forMs === undefined), {
    message: 'expected its end as either to or for',
  });

/** Maintenance (not counted in the availability) and silences (counted): in both people are told nothing, and are told what is left at the end. */
export function windowsRoutes(ports: WindowsPorts): readonly Route[] {
  return (['maintenance', 'silence'] as const).flatMap((kind) => [
    listWindows(kind, ports),
    addWindow(kind, ports),
    removeWindow(kind, ports),
  ]);
}

function listWindows(kind: WindowKind, ports: WindowsPorts): Route {
  return defineRoute({
    name: kind === 'maintenance' ? 'listMaintenance' : 'listSilences',
    method: 'get',
    path: `/${paths[kind]}`,
    errors: ['unavailable'],
    summary: `Every ${kind} that is open or to come`,
    response: z.strictObject({ windows: z.array(windowSchema) }),
    async handle() {
      const added = ofKind(kind, await ports.states.alertWindows()).map((window) => answer(window, 'api', ports));
      const isOver = ({ to }: WindowAnswer): boolean => to !== null && Date.parse(to) <= ports.now();
      const configured = ofKind(kind, ports.configured()).map((window) => answer(window, 'file', ports));
      return { windows: [...configured, ...added].filter((window) => !isOver(window)) };
    },
  });
}

function ofKind(kind: WindowKind, windows: readonly AlertWindow[]): readonly AlertWindow[] {
  return windows.filter((window) => window.kind === kind);
}

function addWindow(kind: WindowKind, ports: WindowsPorts): Route {
  return defineRoute({
    name: kind === 'maintenance' ? 'addMaintenance' : 'addSilence',
    method: 'post',
    allows: 'operator',
    path: `/${paths[kind]}`,
    errors: ['unavailable'],
    summary: `Begin a ${kind}, now or later; it always has an end`,
    body,
    response: windowSchema,
    async handle({ body: { monitors, by, reason, from = ports.now(), to, for: forMs = 0, dryRun } }) {
      const end = to ?? from + forMs;
      assertTimes(from, end, ports.now());
      const name = reason === '' ? `by ${by}` : `${reason} (by ${by})`;
      const window: AlertWindow = {
        id: ports.newId(),
        kind,
        name,
        monitors,
        schedule: { kind: 'once', from, to: end },
      };
      const shown = answer(window, 'api', ports);
      if (shown.matches.length === 0)
        throw new AppError('usage', `no monitor fits ${monitors.map((text) => quoted(text)).join(', ')}`);
      if (!dryRun) await ports.states.saveAlertWindow(window, ports.now());
      return shown;
    },
  });
}

function removeWindow(kind: WindowKind, ports: WindowsPorts): Route {
  return defineRoute({
    name: kind === 'maintenance' ? 'endMaintenance' : 'endSilence',
    method: 'delete',
    allows: 'operator',
    path: `/${paths[kind]}/{window}`,
    errors: ['not-found', 'conflict', 'unavailable'],
    summary: `End a ${kind} now: what was held back is settled`,
    params: z.strictObject({ window: z.string().max(200) }),
    response: z.strictObject({}),
    async handle({ params: { window: id } }) {
      if (ports.configured().some((window) => window.kind === kind && window.id === id))
        throw new AppError('conflict', `${quoted(id)} is written in the configuration: change it there`);
      const known = (await ports.states.alertWindows()).find((window) => window.kind === kind && window.id === id);
      if (!known) throw new AppError('not-found', `there is no ${kind} ${quoted(id)} that was added here`);
      await endWindow(known, ports);
      return {};
    },
  });
}

/** One that has begun stays for the figures of its time. */
async function endWindow(window: AlertWindow, { states, now }: WindowsPorts): Promise<void> {
  const { id, schedule } = window;
  const at = now();
  const near = occurrenceNear(schedule, at);
  if (!near) return void (await states.removeAlertWindow(id, at));
  if (near.to > at)
    await states.saveAlertWindow({ ...window, schedule: { kind: 'once', from: near.from, to: at } }, at);
}

function assertTimes(from: number, to: number, now: number): void {
  if (to <= from) throw new AppError('usage', 'expected an end after the beginning');
  if (to <= now) throw new AppError('usage', 'expected an end that is still to come');
  if (to - from > maxMs) throw new AppError('usage', 'expected at most a year');
}

function answer(
  { id, name, monitors, schedule }: AlertWindow,
  origin: 'file' | 'api',
  ports: WindowsPorts,
): WindowAnswer {
  const now = ports.now();
  const near = occurrenceNear(schedule, now);
  const isOpen = near !== undefined && now < near.to;
  const shown = isOpen ? near : schedule.kind === 'once' ? schedule : undefined;
  return {
    id,
    name,
    monitors: [...monitors],
    origin,
    open: isOpen,
    from: shown ? isoTimeOf(shown.from) : null,
    to: shown ? isoTimeOf(shown.to) : null,
    matches: ports.monitorNames().filter((monitor) => monitors.some((pattern) => fitsWildcard(pattern, monitor))),
  };
}
