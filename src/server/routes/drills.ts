import { z } from 'zod';
import { duration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { isoTimeOf, isoTimeOrNull, isoTimeSchema } from '../../core/iso-time.ts';
import type { NotifyStep } from '../../core/state/policies.ts';
import type { Drill, Drills } from '../drills/drills.ts';
import { defineRoute, type Route } from './route.ts';

export interface DrillsPorts {
  readonly drills: Drills;
  /** The name of a monitor, and who is told of it. @throws {AppError} not-found */
  peopleOf(monitor: string): { readonly name: string; readonly steps: readonly NotifyStep[] };
}

export const drillSchema = z
  .strictObject({
    id: z.uuid(),
    monitor: z.string(),
    startedAt: isoTimeSchema,
    deliveries: z.array(
      z.strictObject({
        notifier: z.string(),
        step: z.int(),
        queuedAt: isoTimeSchema,
        deliveredAt: isoTimeSchema.nullable().meta({ description: 'Null while the provider has not taken it' }),
      }),
    ),
    taken: z.strictObject({ by: z.string(), at: isoTimeSchema }).nullable(),
    endedAt: isoTimeSchema.nullable(),
  })
  .meta({ id: 'Drill' });

const drillId = z.uuid({ error: 'expected the id of a drill (a UUID)' });

/** Drills: a failure that is none, told as if it were one. */
export function drillsRoutes({ drills, ...ports }: DrillsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'startDrill',
      method: 'post',
      allows: 'operator',
      path: '/drills',
      errors: ['not-found', 'conflict', 'unavailable'],
      summary: 'Tell the people of a monitor as if it were down, until somebody takes it; nothing real is touched',
      body: z.strictObject({
        monitor: z.string(),
        for: duration({ min: 10_000, max: 86_400_000, default: 900_000 }).meta({
          description: 'When it ends if nobody takes it',
        }),
      }),
      response: drillSchema,
      async handle({ body: { monitor, for: limitMs } }) {
        const { name, steps } = ports.peopleOf(monitor);
        if (steps.length === 0) throw new AppError('conflict', `nobody is told of ${name}: notify says whom`);
        return drillAnswer(drills.start(name, steps, limitMs));
      },
    }),
    defineRoute({
      name: 'getDrill',
      method: 'get',
      path: '/drills/{drill}',
      errors: ['not-found'],
      summary: 'How far a drill has come: who was told, when, and who took it',
      params: z.strictObject({ drill: drillId }),
      response: drillSchema,
      handle: async ({ params: { drill: id } }) => existing(drills.get(id), id),
    }),
    defineRoute({
      name: 'takeDrill',
      method: 'post',
      allows: 'operator',
      path: '/drills/{drill}/acknowledgement',
      errors: ['not-found'],
      summary: 'Take a drill: it is over',
      params: z.strictObject({ drill: drillId }),
      body: z.strictObject({ by: z.string().trim().min(1).max(100) }),
      response: drillSchema,
      handle: async ({ params: { drill: id }, body: { by } }) => existing(drills.take(id, by), id),
    }),
  ];
}

function existing(drill: Drill | undefined, id: string): z.output<typeof drillSchema> {
  if (drill) return drillAnswer(drill);
  throw new AppError('not-found', `there is no drill ${id} that goes on; a restart of the server ends drills`);
}

function drillAnswer({ id, monitor, startedAt, deliveries, taken, endedAt }: Drill): z.output<typeof drillSchema> {
  return {
    id,
    monitor,
    startedAt: isoTimeOf(startedAt),
    deliveries: deliveries.map(({ notifier, step, queuedAt, deliveredAt }) => ({
      notifier,
      step,
      queuedAt: isoTimeOf(queuedAt),
      deliveredAt: isoTimeOrNull(deliveredAt),
    })),
    taken: taken ? { by: taken.by, at: isoTimeOf(taken.at) } : null,
    endedAt: isoTimeOrNull(endedAt),
  };
}
