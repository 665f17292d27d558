import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { assertPeriod, givenTime, isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { noticeSeverities } from '../../core/notice.ts';
import { sensorNames } from '../../core/sensor.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { Acknowledgement, KeptNotice, NoticeQuery } from '../store/notices.ts';
import type { RoomBook } from '../rooms/room-book.ts';
import { seatsOf, type SessionBook } from '../rooms/session-book.ts';
import { roomIdOf } from './sessions.ts';
import { findAgent } from './agents.ts';
import { maxParameter, wholeParameter } from './parameters.ts';
import { defineRoute, type Route } from './route.ts';

export interface NoticesPorts {
  readonly rooms: RoomBook;
  readonly sessions: SessionBook;
  readonly agents: () => readonly AgentView[];
  now(): number;
  notices(query: NoticeQuery): Promise<readonly KeptNotice[]>;
  acknowledge(id: number, acknowledged: Acknowledgement): Promise<KeptNotice | undefined>;
}

export const noticeSchema = z
  .strictObject({
    id: z.int(),
    agentId: z.uuid().nullable().meta({ description: 'Null of a notice about a room' }),
    agent: z.string(),
    session: z.uuid().nullable().meta({ description: 'In which it was told' }),
    room: z.string().nullable().meta({ description: 'Of that session' }),
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
  return [
    defineRoute({
      name: 'listNotices',
      method: 'get',
      path: '/notices',
      errors: ['not-found', 'unavailable'],
      summary: 'What people were told of the watched machines, newest first; `more` says that there are older ones',
      query: z.strictObject({
        agent: z.string().optional(),
        room: z.string().optional().meta({ description: 'Told in a session of this room, or of one of its seats' }),
        session: z.string().optional().meta({ description: 'Told in this session; a room stands for its newest' }),
        kind: z.string().max(100).optional(),
        severity: z.enum(noticeSeverities).optional(),
        open: z.enum(['true', 'false']).optional(),
        from: givenTime.optional(),
        to: givenTime.optional(),
        before: wholeParameter(1, maxParameter).optional(),
        limit: wholeParameter(1, 1000).default(100),
      }),
      response: z.strictObject({ notices: z.array(noticeSchema), more: z.boolean() }),
      async handle({ query: { agent, room, session, open, limit, ...query } }) {
        assertPeriod(query);
        const wanted = { ...query, ...whoseNotices({ agent, room, session }, ports), isOpen: open === 'true' };
        const found = await ports.notices({ ...wanted, limit: limit + 1 });
        return {
          notices: found.slice(0, limit).map((notice) => noticeAnswer(notice, ports)),
          more: found.length > limit,
        };
      },
    }),
    acknowledgementRoute(ports),
  ];
}

function acknowledgementRoute(ports: NoticesPorts): Route {
  return defineRoute({
    name: 'acknowledgeNotice',
    method: 'post',
    allows: 'operator',
    path: '/notices/{notice}/acknowledgement',
    errors: ['not-found', 'unavailable'],
    summary: 'Say who has looked at a notice; who said so first stays',
    params: z.strictObject({ notice: wholeParameter(1, maxParameter) }),
    body: z.strictObject({
      by: z.string().trim().min(1).max(maxNameCharacters),
      note: z.string().trim().max(maxNoteCharacters).default(''),
    }),
    response: noticeSchema,
    async handle({ params, body, caller }) {
      const by = caller.person?.name ?? body.by;
      const kept = await ports.acknowledge(params.notice, { ...body, by, at: ports.now() });
      if (kept) return noticeAnswer(kept, ports);
      throw new AppError('not-found', `there is no notice ${params.notice}; \`watchkeeper notices\` lists them`);
    },
  });
}

interface Whose {
  readonly agent: string | undefined;
  readonly room: string | undefined;
  readonly session: string | undefined;
}

/** @throws {AppError} not-found; usage, when more than one is given */
function whoseNotices(
  { agent, room, session }: Whose,
  { agents, rooms, sessions }: NoticesPorts,
): Pick<NoticeQuery, 'agentIds' | 'sessionIds'> {
  if ([agent, room, session].filter((each) => each !== undefined).length > 1)
    throw new AppError('usage', 'expected one of agent, room and session');
  if (agent !== undefined) return { agentIds: [findAgent(agents(), agent).id] };
  if (session !== undefined) return { sessionIds: [sessions.find(session).id] };
  if (room === undefined) return {};
  const roomId = roomIdOf(room, { rooms, sessions });
  const present = rooms.entries().find((entry) => entry.room.id === roomId);
  const seats = present ? seatsOf(present.room, agents()) : [];
  return {
    agentIds: seats.flatMap(({ agentId }) => agentId ?? []),
    sessionIds: sessions.sessions.filter((each) => each.roomId === roomId).map(({ id }) => id),
  };
}

function noticeAnswer(
  { agentId, sessionId, sensor, at, lastAt, acknowledged, ...notice }: KeptNotice,
  { agents, sessions }: Pick<NoticesPorts, 'agents' | 'sessions'>,
): z.output<typeof noticeSchema> {
  const room = sessions.sessions.find(({ id }) => id === sessionId)?.room;
  return {
    ...notice,
    agentId: agentId === '' ? null : agentId,
    agent: agents().find(({ id }) => id === agentId)?.name ?? (agentId === '' ? (room ?? 'room') : agentId),
    session: sessionId ?? null,
    room: room ?? null,
    sensor: sensor ?? null,
    at: isoTimeOf(at),
    lastAt: isoTimeOf(lastAt),
    acknowledged: acknowledged ? { ...acknowledged, at: isoTimeOf(acknowledged.at) } : null,
  };
}
