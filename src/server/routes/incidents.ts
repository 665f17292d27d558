import { z } from 'zod';
import { duration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { givenTime } from '../../core/iso-time.ts';
import type { IncidentRecord } from '../../core/state/incident-record.ts';
import type { States } from '../store/states.ts';
import { fullIncidentSchema, incidentAnswer, incidentEventAnswer, incidentSchema } from './incident-answer.ts';
import { defineRoute, type Route } from './route.ts';

export interface IncidentsPorts {
  readonly states: Pick<States, 'incidents' | 'incident' | 'incidentEvents' | 'acknowledgeIncident'>;
  readonly now: () => number;
  /** The id of a monitor. @throws {AppError} not-found */
  readonly monitorId: (idOrName: string) => string;
}

const hourMs = 3_600_000;
const incidentId = z.uuid({ error: 'expected the id of an incident (a UUID); `watchkeeper incidents` lists them' });

export function incidentsRoutes(ports: IncidentsPorts): readonly Route[] {
  return [listIncidents(ports), getIncident(ports), acknowledgeIncident(ports)];
}

function listIncidents({ states, now, monitorId }: IncidentsPorts): Route {
  return defineRoute({
    name: 'listIncidents',
    method: 'get',
    path: '/incidents',
    errors: ['not-found', 'unavailable'],
    summary: 'What went wrong, newest first; `more` says that there are older ones',
    query: z.strictObject({
      monitor: z.string().optional(),
      open: z.enum(['true', 'false']).optional(),
      from: givenTime.optional().meta({ description: 'Only those that were open at this time or later' }),
      to: givenTime.optional(),
      before: incidentId.optional().meta({ description: 'The last id of the page before' }),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    response: z.strictObject({ incidents: z.array(incidentSchema), more: z.boolean() }),
    async handle({ query: { monitor, open, limit, ...query } }) {
      const subject = monitor === undefined ? undefined : { kind: 'monitor' as const, id: monitorId(monitor) };
      const isOpen = open === undefined ? undefined : open === 'true';
      const found = await states.incidents({ ...query, subject, isOpen, limit: limit + 1 });
      return {
        incidents: found.slice(0, limit).map((record) => incidentAnswer(record, now())),
        more: found.length > limit,
      };
    },
  });
}

function getIncident({ states, now }: IncidentsPorts): Route {
  return defineRoute({
    name: 'getIncident',
    method: 'get',
    path: '/incidents/{incident}',
    errors: ['not-found', 'unavailable'],
    summary: 'An incident with its timeline: what was seen, who was told, what was held back and why',
    params: z.strictObject({ incident: incidentId }),
    response: fullIncidentSchema,
    async handle({ params: { incident: id } }) {
      const record = existing(await states.incident(id), id);
      const events = await states.incidentEvents(id);
      return {
        ...incidentAnswer(record, now()),
        facts: [...record.account.facts],
        events: events.map(incidentEventAnswer),
      };
    },
  });
}

function acknowledgeIncident({ states, now }: IncidentsPorts): Route {
  return defineRoute({
    name: 'acknowledgeIncident',
    method: 'post',
    path: '/incidents/{incident}/acknowledgement',
    allows: 'operator',
    errors: ['not-found', 'conflict', 'unavailable'],
    summary: 'Take an incident: reminders and escalations stop until it grows, ends or the time is over',
    params: z.strictObject({ incident: incidentId }),
    body: z.strictObject({
      by: z.string().trim().min(1).max(100).meta({ description: 'Who has it' }),
      note: z.string().trim().max(1000).default(''),
      for: duration({ min: 60_000, max: 30 * 24 * hourMs, default: 24 * hourMs }).meta({
        description: 'How long it counts',
      }),
    }),
    response: incidentSchema,
    async handle({ params: { incident: id }, body: { by, note, for: forMs } }) {
      const at = now();
      const record = await states.acknowledgeIncident(id, { by, note, at, until: at + forMs });
      if (record) return incidentAnswer(record, at);
      const { incident } = existing(await states.incident(id), id);
      throw new AppError('conflict', `incident ${id} has ended (${incident.endReason}): there is nothing to take`);
    },
  });
}

function existing(record: IncidentRecord | undefined, id: string): IncidentRecord {
  if (record) return record;
  throw new AppError('not-found', `there is no incident ${id}; \`watchkeeper incidents\` lists them`);
}
