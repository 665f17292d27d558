import { z } from 'zod';
import { isoTimeOf, isoTimeOrNull, isoTimeSchema } from '../../core/iso-time.ts';
import { verdicts } from '../../core/message.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { statuses } from '../../core/outcome.ts';
import type { IncidentRecord } from '../../core/state/incident-record.ts';
import type { StateRow, VoiceRow } from '../../core/state/monitor-record.ts';
import type { States } from '../store/states.ts';
import { acknowledgementAnswer, acknowledgementSchema } from './incident-answer.ts';
import { defineRoute, type Route } from './route.ts';
import { statesParameter } from './tasks.ts';

export interface StatesPorts {
  readonly states: Pick<States, 'states' | 'voices' | 'incidents'>;
  readonly monitors: () => readonly MonitorSpec[];
  readonly agentName: (agentId: string) => string;
}

export const voiceSchema = z
  .strictObject({
    agent: z.string(),
    state: z.enum(statuses),
    since: isoTimeSchema.nullable(),
    message: z.string().nullable().meta({ description: 'Of its last failing run' }),
  })
  .meta({ id: 'Voice' });

export const stateSchema = z
  .strictObject({
    monitorId: z.string(),
    monitor: z.string(),
    type: z.string(),
    target: z.string(),
    state: z.enum(statuses).meta({ description: 'What its agents say together, after confirmations' }),
    since: isoTimeSchema.nullable().meta({ description: 'Of a failure its first failing run; null before the first' }),
    verdict: z.enum(verdicts).nullable().meta({ description: 'Who is wrong; null while it is up' }),
    paused: z.boolean(),
    unstableSince: isoTimeSchema.nullable().meta({ description: 'Since when its state changes too often' }),
    incident: z.uuid().nullable(),
    summary: z.string().nullable(),
    scope: z.string().nullable(),
    acknowledged: acknowledgementSchema.nullable(),
    voices: z.array(voiceSchema),
  })
  .meta({ id: 'MonitorState' });

const maxOpenIncidents = 100_000;

export function statesRoutes({ states, monitors, agentName }: StatesPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listStates',
      method: 'get',
      path: '/states',
      errors: ['unavailable'],
      summary: 'The confirmed state of every monitor, who sees it, and who has it',
      query: z.strictObject({ state: statesParameter, monitor: z.string().optional() }),
      response: z.strictObject({ states: z.array(stateSchema) }),
      async handle({ query: { state: wanted, monitor } }) {
        const [rows, voices, open] = await Promise.all([
          states.states(),
          states.voices(),
          states.incidents({ isOpen: true, limit: maxOpenIncidents }),
        ]);
        const seen: Seen = {
          rows: new Map(rows.map((row) => [row.monitorId, row])),
          voices: Map.groupBy(voices, ({ monitorId }) => monitorId),
          incidents: new Map(open.map((record) => [record.incident.subject.id, record])),
          agentName,
        };
        const chosen = monitors().filter(({ id, name }) => monitor === undefined || monitor === id || monitor === name);
        const all = chosen.map((spec) => stateAnswer(spec, seen));
        return { states: all.filter(({ state }) => !wanted || wanted.includes(state)) };
      },
    }),
  ];
}

interface Seen {
  readonly rows: ReadonlyMap<string, StateRow>;
  readonly voices: ReadonlyMap<string, readonly VoiceRow[]>;
  /** Open ones, by their subject. */
  readonly incidents: ReadonlyMap<string, IncidentRecord>;
  readonly agentName: (agentId: string) => string;
}

function stateAnswer(
  { id, name, type, target, paused }: MonitorSpec,
  { rows, voices, incidents, agentName }: Seen,
): z.output<typeof stateSchema> {
  return {
    monitorId: id,
    monitor: name,
    type,
    target,
    paused,
    ...believed(rows.get(id)),
    ...incidentPart(incidents.get(id)),
    voices: (voices.get(id) ?? []).map((row) => voiceAnswer(row, agentName)),
  };
}

function believed(row: StateRow | undefined) {
  if (!row) return { state: 'unknown', since: null, verdict: null, unstableSince: null } as const;
  const { state, since, verdict, flapping } = row;
  return {
    state,
    since: since > 0 ? isoTimeOf(since) : null,
    verdict: state === 'up' ? null : verdict,
    unstableSince: isoTimeOrNull(flapping.unstableSince),
  };
}

function incidentPart(record: IncidentRecord | undefined) {
  if (!record) return { incident: null, summary: null, scope: null, acknowledged: null };
  const { incident, account, ack } = record;
  return {
    incident: incident.id,
    summary: account.summary,
    scope: account.scope ?? null,
    acknowledged: ack ? acknowledgementAnswer(ack) : null,
  };
}

function voiceAnswer(
  { agentId, voice, message }: VoiceRow,
  agentName: (agentId: string) => string,
): z.output<typeof voiceSchema> {
  const { state, since } = voice;
  return { agent: agentName(agentId), state, since: since > 0 ? isoTimeOf(since) : null, message: message ?? null };
}
