import { z } from 'zod';
import { duration } from '../../core/duration.ts';
import { isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import type { RehearsedMessage } from '../../core/state/rehearsal.ts';
import type { RehearsalReport } from '../rehearsals/rehearse.ts';
import type { TimeRange } from '../store/store.ts';
import { defineRoute, type Route } from './route.ts';

export interface RehearsalsPorts {
  readonly now: () => number;
  /** @throws {AppError} not-found, invalid-config, usage */
  readonly rehearse: (file: string, range: TimeRange) => Promise<RehearsalReport>;
}

const dayMs = 86_400_000;

export const rehearsedSchema = z
  .strictObject({
    at: isoTimeSchema,
    notifier: z.string(),
    subject: z.string(),
    outcome: z.enum(['sent', 'held', 'not-sent']),
    kind: z.string().nullable(),
    headline: z.string().nullable(),
    reason: z.string().nullable().meta({ description: 'Why it would not have been sent, or not yet' }),
    by: z.string().nullable().meta({ description: 'Which parent, window or incident' }),
  })
  .meta({ id: 'RehearsedMessage' });

export const rehearsalSchema = z
  .strictObject({
    from: isoTimeSchema,
    to: isoTimeSchema,
    results: z.int(),
    would: z.array(rehearsedSchema).meta({ description: 'What would have been sent or held back' }),
    did: z
      .array(z.strictObject({ at: isoTimeSchema, notifier: z.string(), subject: z.string(), kind: z.string() }))
      .meta({ description: 'What was sent' }),
  })
  .meta({ id: 'Rehearsal' });

/** Only for whoever may read files of the server anyway: the configuration is one, with its variables and secrets. */
export function rehearsalsRoutes({ now, rehearse }: RehearsalsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'rehearse',
      method: 'post',
      path: '/rehearsals',
      errors: ['not-found', 'unavailable'],
      summary: 'What a changed configuration would have told of the results that are stored, beside what was told',
      body: z.strictObject({
        file: z.string().min(1).max(4096).meta({ description: 'A configuration on the disk of the server' }),
        last: duration({ min: 60_000, max: 400 * dayMs, default: 7 * dayMs }).meta({
          description: 'How far back it begins',
        }),
      }),
      response: rehearsalSchema,
      async handle({ body: { file, last } }) {
        const to = now();
        const range = { from: to - last, to };
        const { results, would, did } = await rehearse(file, range);
        return {
          from: isoTimeOf(range.from),
          to: isoTimeOf(to),
          results,
          would: would.map(rehearsedAnswer),
          did: did.map(({ at, notifier, subject, kind = '' }) => ({ at: isoTimeOf(at), notifier, subject, kind })),
        };
      },
    }),
  ];
}

function rehearsedAnswer(message: RehearsedMessage): z.output<typeof rehearsedSchema> {
  const { at, notifier, subject, outcome, kind = null, headline = null, reason = null, by = null } = message;
  return { at: isoTimeOf(at), notifier, subject, outcome, kind, headline, reason, by };
}
