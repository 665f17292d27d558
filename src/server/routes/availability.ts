import { z } from 'zod';
import { occurrenceNear, type WindowSpan } from '../../core/calendar/window-schedule.ts';
import { AppError } from '../../core/errors.ts';
import { givenTime, isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { availabilityOf } from '../../core/state/availability.ts';
import type { AlertWindow } from '../../core/state/policies.ts';
import { fitsWildcard } from '../../core/wildcard.ts';
import type { States } from '../store/states.ts';
import type { TimeRange } from '../store/store.ts';
import { defineRoute, type Route } from './route.ts';

export interface AvailabilityPorts {
  readonly states: Pick<States, 'stateChanges'>;
  readonly now: () => number;
  readonly monitors: () => readonly MonitorSpec[];
  /** Every maintenance that is known, of the configuration too. */
  readonly windows: () => Promise<readonly AlertWindow[]>;
}

const ms = z.number().min(0);

export const availabilitySchema = z
  .strictObject({
    monitorId: z.string(),
    monitor: z.string(),
    available: z
      .number()
      .nullable()
      .meta({ description: '(up + degraded) / (up + degraded + down), 0 to 1; null where nothing is known' }),
    upMs: ms,
    degradedMs: ms,
    downMs: ms.meta({ description: 'From the first failing run of each confirmed failure' }),
    unknownMs: ms.meta({ description: 'Not counted: nobody could tell' }),
    maintenanceMs: ms.meta({ description: 'Not counted, whatever the state was' }),
  })
  .meta({ id: 'Availability' });

const dayMs = 86_400_000;
/** Asked of the store at a time. */
const atOnce = 50;

export function availabilityRoutes(ports: AvailabilityPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listAvailability',
      method: 'get',
      path: '/availability',
      errors: ['not-found', 'unavailable'],
      summary:
        'How much of a time each monitor was available, by time in each confirmed state; 30 days unless said otherwise',
      query: z.strictObject({ monitor: z.string().optional(), from: givenTime.optional(), to: givenTime.optional() }),
      response: z.strictObject({ from: isoTimeSchema, to: isoTimeSchema, monitors: z.array(availabilitySchema) }),
      async handle({ query: { monitor, from: givenFrom, to: givenTo } }) {
        const to = Math.min(givenTo ?? Infinity, ports.now());
        const from = givenFrom ?? to - 30 * dayMs;
        if (from >= to) throw new AppError('usage', 'expected a time that has begun, and from before to');
        const chosen = ports.monitors().filter(({ id, name }) => monitor === undefined || [id, name].includes(monitor));
        if (monitor !== undefined && chosen.length === 0)
          throw new AppError('not-found', `there is no monitor ${JSON.stringify(monitor)}`);
        const windows = (await ports.windows()).filter(({ kind }) => kind === 'maintenance');
        const monitors: z.output<typeof availabilitySchema>[] = [];
        for (let at = 0; at < chosen.length; at += atOnce) {
          const some = chosen.slice(at, at + atOnce);
          const figures = some.map((spec) => availabilityAnswer(spec, { windows, range: { from, to } }, ports));
          monitors.push(...(await Promise.all(figures)));
        }
        return { from: isoTimeOf(from), to: isoTimeOf(to), monitors };
      },
    }),
  ];
}

interface Counted {
  /** Every maintenance. */
  readonly windows: readonly AlertWindow[];
  readonly range: TimeRange;
}

async function availabilityAnswer(
  { id: monitorId, name: monitor }: MonitorSpec,
  { windows, range }: Counted,
  { states }: AvailabilityPorts,
): Promise<z.output<typeof availabilitySchema>> {
  const changes = await states.stateChanges({ monitorId, ...range });
  const maintenance = windows
    .filter(({ monitors }) => monitors.some((pattern) => fitsWildcard(pattern, monitor)))
    .flatMap((window) => occurrencesIn(window, range));
  const { available = null, ...times } = availabilityOf(changes, { ...range, maintenance });
  return { monitorId, monitor, available, ...times };
}

/** From the last one backwards. */
function occurrencesIn({ schedule }: AlertWindow, { from, to }: TimeRange): readonly WindowSpan[] {
  const found: WindowSpan[] = [];
  for (let before = to; ;) {
    const near = occurrenceNear(schedule, before);
    if (!near || near.to <= from) return found;
    found.push(near);
    before = near.from - 1;
  }
}
