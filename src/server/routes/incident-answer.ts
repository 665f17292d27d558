import { z } from 'zod';
import { isoTimeOf, isoTimeOrNull, isoTimeSchema } from '../../core/iso-time.ts';
import { verdicts } from '../../core/message.ts';
import { statuses, type JsonObject, type JsonValue } from '../../core/outcome.ts';
import type { AlertRecipient, IncidentAck, IncidentEvent, IncidentRecord } from '../../core/state/incident-record.ts';
import { durationOf, endReasons, subjectKinds } from '../../core/state/incident.ts';
import { suppressionReasons } from '../../core/state/suppression.ts';

export const acknowledgementSchema = z
  .strictObject({
    by: z.string(),
    note: z.string(),
    at: isoTimeSchema,
    until: isoTimeSchema.meta({ description: 'When it ends by itself' }),
  })
  .meta({ id: 'IncidentAcknowledgement' });

const recipientSchema = z.strictObject({
  notifier: z.string(),
  step: z.int().meta({ description: '0 is told at once; higher ones are escalations' }),
  told: z.string().nullable().meta({ description: 'The state it was last told; null if it was told nothing' }),
  toldAt: isoTimeSchema.nullable(),
  held: z
    .strictObject({
      reason: z.enum(suppressionReasons),
      by: z.string().nullable().meta({ description: 'Which parent, window or incident' }),
      since: isoTimeSchema,
      until: isoTimeSchema.nullable(),
    })
    .nullable()
    .meta({ description: 'Why a message waits' }),
});

export const incidentSchema = z
  .strictObject({
    id: z.uuid(),
    subject: z.strictObject({ kind: z.enum(subjectKinds), id: z.string(), name: z.string() }),
    state: z.enum(statuses),
    worst: z.enum(statuses),
    verdict: z.enum(verdicts).meta({ description: 'Who is wrong: the target, the path to it, or the observer' }),
    summary: z.string(),
    scope: z.string().nullable().meta({ description: 'From how many places it is seen' }),
    target: z.string().nullable(),
    startedAt: isoTimeSchema.meta({ description: 'The first failing run' }),
    confirmedAt: isoTimeSchema,
    endedAt: isoTimeSchema.nullable(),
    endReason: z.enum(endReasons).nullable(),
    durationMs: z.number().meta({ description: 'Without the time in which nobody could tell' }),
    reopened: z.int().meta({ description: 'How often it began again soon after its end' }),
    acknowledged: acknowledgementSchema.nullable(),
    leader: z.uuid().nullable().meta({ description: 'The incident of the same cause that tells of this one' }),
    members: z.array(z.string()).meta({ description: 'Incidents that this one tells of' }),
    recipients: z.array(recipientSchema),
  })
  .meta({ id: 'Incident' });
export type IncidentAnswer = z.output<typeof incidentSchema>;

export const incidentEventSchema = z
  .strictObject({ seq: z.int(), at: isoTimeSchema, kind: z.string(), detail: z.record(z.string(), z.unknown()) })
  .meta({ id: 'IncidentEvent' });

export const fullIncidentSchema = z
  .strictObject({
    ...incidentSchema.shape,
    facts: z.array(z.strictObject({ label: z.string(), text: z.string() })),
    events: z.array(incidentEventSchema).meta({ description: 'Its timeline, oldest first' }),
  })
  .meta({ id: 'FullIncident' });

export function acknowledgementAnswer({ at, until, ...ack }: IncidentAck): z.output<typeof acknowledgementSchema> {
  return { ...ack, at: isoTimeOf(at), until: isoTimeOf(until) };
}

export function incidentAnswer(record: IncidentRecord, now: number): IncidentAnswer {
  const { incident, name, ack, leader, members, recipients, account } = record;
  const { id, subject, state, worst, verdict, startedAt, confirmedAt, endedAt, endReason, reopened } = incident;
  return {
    id,
    subject: { ...subject, name },
    state,
    worst,
    verdict,
    summary: account.summary,
    scope: account.scope ?? null,
    target: account.target ?? null,
    startedAt: isoTimeOf(startedAt),
    confirmedAt: isoTimeOf(confirmedAt),
    endedAt: isoTimeOrNull(endedAt),
    endReason: endReason ?? null,
    durationMs: durationOf(incident, now),
    reopened,
    acknowledged: ack ? acknowledgementAnswer(ack) : null,
    leader: leader ?? null,
    members: [...members],
    recipients: recipients.map(recipientAnswer),
  };
}

function recipientAnswer({ notifier, step, told, toldAt, held }: AlertRecipient): z.output<typeof recipientSchema> {
  return {
    notifier,
    step,
    told: told ?? null,
    toldAt: isoTimeOrNull(toldAt),
    held: held
      ? {
          reason: held.reason,
          by: held.by ?? null,
          since: isoTimeOf(held.since),
          until: isoTimeOrNull(held.until),
        }
      : null,
  };
}

export function incidentEventAnswer({ seq, at, kind, detail }: IncidentEvent): z.output<typeof incidentEventSchema> {
  return { seq, at: isoTimeOf(at), kind, detail: withIsoTimes(detail) };
}

/** Times in the detail of an event are epoch milliseconds inside, as every time is. */
function withIsoTimes(detail: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(detail).map(([key, value]) => [key, isTime(key, value) ? isoTimeOf(value) : value]),
  );
}

function isTime(key: string, value: JsonValue): value is number {
  return typeof value === 'number' && ['until', 'since', 'at'].includes(key);
}
