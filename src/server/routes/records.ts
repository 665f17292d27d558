import { z } from 'zod';
import { alarmCauses } from '../../core/event.ts';
import { assertPeriod, givenTime, isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { sensorRecord } from '../../core/record.ts';
import { sensorNames } from '../../core/sensor.ts';
import { contentOf } from '../../records/record-line.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { Alarm, AlarmQuery, KeptRecord, RecordQuery } from '../store/evidence.ts';
import { findAgent } from './agents.ts';
import { wholeParameter } from './parameters.ts';
import { defineRoute, type Route } from './route.ts';

export interface RecordsPorts {
  agents(): readonly AgentView[];
  records(query: RecordQuery): Promise<readonly KeptRecord[]>;
  alarms(query: AlarmQuery): Promise<readonly Alarm[]>;
}

const origin = {
  agentId: z.uuid(),
  agent: z.string(),
  sensor: z.enum(sensorNames),
  chain: z.uuid(),
  n: z.int(),
};

const recordSchema = z
  .strictObject({
    ...origin,
    at: isoTimeSchema,
    receivedAt: isoTimeSchema,
    address: z.string().nullable(),
    event: z.string(),
    /** Null if it is one of a newer version. */
    record: sensorRecord.nullable(),
  })
  .meta({ id: 'Record' });

export const alarmSchema = z
  .strictObject({
    ...origin,
    cause: z.enum(alarmCauses),
    at: isoTimeSchema,
    message: z.string(),
  })
  .meta({ id: 'Alarm' });

export function recordsRoutes(ports: RecordsPorts): readonly Route[] {
  const idOf = (agent: string | undefined): string | undefined =>
    agent === undefined ? undefined : findAgent(ports.agents(), agent).id;
  const nameOf = (agentId: string): string => ports.agents().find(({ id }) => id === agentId)?.name ?? agentId;
  return [
    defineRoute({
      name: 'listRecords',
      method: 'get',
      path: '/records',
      errors: ['not-found', 'unavailable'],
      summary: 'What sensors wrote in [from, to) by the clocks of their agents, oldest first',
      query: z.strictObject({
        agent: z.string().optional(),
        sensor: z.enum(sensorNames).optional(),
        from: givenTime,
        to: givenTime,
        limit: wholeParameter(1, 1000).default(100),
      }),
      response: z.strictObject({ records: z.array(recordSchema) }),
      async handle({ query: { agent, ...query } }) {
        assertPeriod(query);
        const records = await ports.records({ ...query, agentId: idOf(agent) });
        return { records: records.map((record) => recordAnswer(record, nameOf(record.agentId))) };
      },
    }),
    defineRoute({
      name: 'listAlarms',
      method: 'get',
      path: '/alarms',
      errors: ['not-found', 'unavailable'],
      summary: 'Where records are not what an agent wrote, or not all of it, newest first',
      query: z.strictObject({
        agent: z.string().optional(),
        limit: wholeParameter(1, 1000).default(100),
      }),
      response: z.strictObject({ alarms: z.array(alarmSchema) }),
      async handle({ query: { agent, limit } }) {
        const alarms = await ports.alarms({ limit, agentId: idOf(agent) });
        return { alarms: alarms.map((alarm) => alarmAnswer(alarm, nameOf(alarm.agentId))) };
      },
    }),
  ];
}

function recordAnswer(kept: KeptRecord, agent: string): z.output<typeof recordSchema> {
  const { agentId, sensor, chain, n, at, receivedAt, address = null, event, line } = kept;
  const times = { at: isoTimeOf(at), receivedAt: isoTimeOf(receivedAt) };
  return { agentId, agent, sensor, chain, n, ...times, address, event, record: contentOf(line)?.record ?? null };
}

function alarmAnswer({ line: _line, at, ...alarm }: Alarm, agent: string): z.output<typeof alarmSchema> {
  return { ...alarm, agent, at: isoTimeOf(at) };
}
