import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { assertPeriod, givenTime, isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { noticeSeverities } from '../../core/notice.ts';
import { sensorNames } from '../../core/sensor.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { Acknowledgement, KeptNotice, NoticeQuery } from '../store/notices.ts';
import { findAgent } from './agents.ts';
import { maxParameter, wholeParameter } from './parameters.ts';
import { defineRoute, type Route } from './route.ts';

export interface NoticesPorts {
  agents(): readonly AgentView[];
  now(): number;
  notices(query: NoticeQuery): Promise<readonly KeptNotice[]>;
  acknowledge(id: number, acknowledged: Acknowledgement): Promise<KeptNotice | undefined>;
}

export const noticeSchema = z
  .strictObject({
    id: z.int(),
    agentId: z.uuid(),
    agent: z.string(),
    /** Null where it is about the agent itself. */
    sensor: z.enum(sensorNames).nullable(),
    kind: z.string(),
    severity: z.enum(noticeSeverities),
    text: z.string(),
    at: isoTimeSchema,
    lastAt: isoTimeSchema,
    count: z.int(),
    acknowledged: z.strictObject({ by: z.string(), at: isoTimeSchema, note: z.string() }).nullable(),
  })
  .meta({ id: 'Notice' });

const maxNameCharacters = 100;
const maxNoteCharacters = 1000;

/** What people were told of the watched machines, and who has looked at it. */
export function noticesRoutes(ports: NoticesPorts): readonly Route[] {
  const answer = (notice: KeptNotice): z.output<typeof noticeSchema> =>
    noticeAnswer(notice, ports.agents().find(({ id }) => id === notice.agentId)?.name ?? notice.agentId);
  return [
    defineRoute({
      name: 'listNotices',
      method: 'get',
      path: '/notices',
      errors: ['not-found', 'unavailable'],
      summary: 'What people were told of the watched machines, newest first; `more` says that there are older ones',
      query: z.strictObject({
        agent: z.string().optional(),
        kind: z.string().max(100).optional(),
        severity: z.enum(noticeSeverities).optional(),
        open: z.enum(['true', 'false']).optional(),
        from: givenTime.optional(),
        to: givenTime.optional(),
        before: wholeParameter(1, maxParameter).optional(),
        limit: wholeParameter(1, 1000).default(100),
      }),
      response: z.strictObject({ notices: z.array(noticeSchema), more: z.boolean() }),
      async handle({ query: { agent, open, limit, ...query } }) {
        assertPeriod(query);
        const agentIds = agent === undefined ? undefined : [findAgent(ports.agents(), agent).id];
        const found = await ports.notices({ ...query, agentIds, isOpen: open === 'true', limit: limit + 1 });
        return { notices: found.slice(0, limit).map(answer), more: found.length > limit };
      },
    }),
    defineRoute({
      name: 'acknowledgeNotice',
      method: 'post',
      allows: 'operator',
      path: '/notices/{notice}/acknowledgement',
      errors: ['not-found', 'unavailable'],
      summary: 'Say who has looked at a notice; who said so first stays, and who is signed in speaks for nobody else',
      params: z.strictObject({ notice: wholeParameter(1, maxParameter) }),
      body: z.strictObject({
        by: z.string().trim().min(1).max(maxNameCharacters),
        note: z.string().trim().max(maxNoteCharacters).default(''),
      }),
      response: noticeSchema,
      async handle({ params, body, caller }) {
        const by = caller.person?.name ?? body.by;
        const kept = await ports.acknowledge(params.notice, { ...body, by, at: ports.now() });
        if (kept) return answer(kept);
        throw new AppError('not-found', `there is no notice ${params.notice}; \`watchkeeper notices\` lists them`);
      },
    }),
  ];
}

function noticeAnswer(
  { sensor, at, lastAt, acknowledged, ...notice }: KeptNotice,
  agent: string,
): z.output<typeof noticeSchema> {
  return {
    ...notice,
    agent,
    sensor: sensor ?? null,
    at: isoTimeOf(at),
    lastAt: isoTimeOf(lastAt),
    acknowledged: acknowledged ? { ...acknowledged, at: isoTimeOf(acknowledged.at) } : null,
  };
}
