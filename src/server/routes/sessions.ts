import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { givenTime, isoTimeOf, isoTimeOrNull, isoTimeSchema } from '../../core/iso-time.ts';
import type { Session, SessionSeat } from '../../core/session.ts';
import { agentStatuses, type AgentView } from '../fleet/fleet.ts';
import type { RoomBook } from '../rooms/room-book.ts';
import type { SealedSession } from '../rooms/session-sealing.ts';
import type { SessionBook } from '../rooms/session-book.ts';
import { policyAnswer, seatAnswer, writtenPolicy } from './rooms.ts';
import { wholeParameter } from './parameters.ts';
import { defineRoute, type Route } from './route.ts';

const person = z.string().trim().min(1).max(100);

export const sessionSchema = z
  .strictObject({
    id: z.uuid(),
    roomId: z.string(),
    room: z.string().meta({ description: 'Name of the room when the session began' }),
    policy: policyAnswer,
    seats: z.array(
      seatAnswer.extend({
        status: z.enum(agentStatuses).nullable().meta({ description: 'Of the agent now; null if it has not joined' }),
        since: isoTimeSchema.nullable(),
      }),
    ),
    startedAt: isoTimeSchema,
    startedBy: z.string(),
    until: isoTimeSchema,
    endedAt: isoTimeSchema.nullable().meta({ description: 'Null while it lasts' }),
    endedBy: z.string().nullable().meta({ description: 'Null if it lasts, or its agreed end came' }),
  })
  .meta({ id: 'Session' });

const one = z.strictObject({ session: sessionSchema });

const signed = { manifest: z.string(), signature: z.string() };

export interface SessionsPorts {
  /** What came of a session, told in times of a zone, and signed. */
  readonly seal: (session: Session, zone: string) => Promise<SealedSession>;
  readonly rooms: RoomBook;
  readonly sessions: SessionBook;
  readonly agents: () => readonly AgentView[];
}

/** Sessions: a room under a policy for a time. */
export function sessionsRoutes(ports: SessionsPorts): readonly Route[] {
  return [...listRoutes(ports), ...courseRoutes(ports), reportRoute(ports)];
}

function listRoutes({ rooms, sessions, agents }: SessionsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listSessions',
      method: 'get',
      path: '/sessions',
      errors: ['not-found'],
      summary: 'Sessions, the newest first',
      query: z.strictObject({
        room: z.string().optional(),
        open: z.enum(['true', 'false']).optional().meta({ description: 'Only those that last, or have ended' }),
        limit: wholeParameter(1, 1000).default(100),
      }),
      response: z.strictObject({ sessions: z.array(sessionSchema) }),
      async handle({ query: { room, open, limit } }) {
        const roomId = room === undefined ? undefined : roomIdOf(room, { rooms, sessions });
        const found = sessions.sessions.filter(
          (session) =>
            (roomId === undefined || session.roomId === roomId) &&
            (open === undefined || (session.endedAt === undefined) === (open === 'true')),
        );
        return { sessions: found.slice(0, limit).map((session) => sessionAnswer(session, agents())) };
      },
    }),
    defineRoute({
      name: 'getSession',
      method: 'get',
      path: '/sessions/{session}',
      errors: ['not-found'],
      summary: 'One session by its id, or the newest of a room by the id or name of that',
      params: z.strictObject({ session: z.string() }),
      response: one,
      handle: async ({ params }) => ({ session: sessionAnswer(sessions.find(params.session), agents()) }),
    }),
  ];
}

function courseRoutes({ rooms, sessions, agents }: SessionsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'startSession',
      method: 'post',
      allows: 'operator',
      path: '/rooms/{room}/sessions',
      errors: ['not-found', 'conflict', 'unavailable'],
      summary: 'Begin a session: the seats of the room are watched until its end',
      params: z.strictObject({ room: z.string() }),
      body: z.strictObject({
        policy: z
          .string()
          .optional()
          .meta({ description: 'Name of a policy of the room; may be left out if it has one' }),
        until: givenTime,
        by: person,
      }),
      response: one,
      locationOf: ({ session: { id } }) => `/sessions/${id}`,
      async handle({ params, body }) {
        const session = await sessions.start(rooms.find(params.room).room, body);
        return { session: sessionAnswer(session, agents()) };
      },
    }),
    defineRoute({
      name: 'endSession',
      method: 'post',
      allows: 'operator',
      path: '/sessions/{session}/end',
      errors: ['not-found', 'conflict', 'unavailable'],
      summary: 'End a session, given by its id or by its room, before its agreed end',
      params: z.strictObject({ session: z.string() }),
      body: z.strictObject({ by: person }),
      response: one,
      async handle({ params, body }) {
        const session = await sessions.end(sessions.find(params.session).id, body.by);
        return { session: sessionAnswer(session, agents()) };
      },
    }),
  ];
}

function reportRoute({ sessions, seal }: SessionsPorts): Route {
  return defineRoute({
    name: 'getSessionReport',
    method: 'get',
    path: '/sessions/{session}/report',
    errors: ['not-found', 'unavailable'],
    summary:
      'What came of a session, signed: the report, its page for print, and the lists of the evidence of its seats',
    params: z.strictObject({ session: z.string() }),
    query: z.strictObject({
      zone: z
        .string()
        .max(100)
        .refine(isZone, 'expected the name of a time zone, like Europe/Berlin')
        .default('UTC')
        .meta({ description: 'Zone in which the page tells times' }),
    }),
    response: z.strictObject({
      ...signed,
      report: z.string(),
      page: z.string(),
      seats: z.array(z.strictObject({ ...signed, folder: z.string() })),
    }),
    handle: async ({ params, query }) => await seal(sessions.find(params.session), query.zone),
  });
}

function isZone(name: string): boolean {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).offsetNanoseconds !== undefined;
  } catch {
    return false;
  }
}

/** Of a room that there is, or of which there are sessions only. @throws {AppError} not-found */
export function roomIdOf(idOrName: string, { rooms, sessions }: Pick<SessionsPorts, 'rooms' | 'sessions'>): string {
  try {
    return rooms.find(idOrName).room.id;
  } catch (error) {
    const past = sessions.sessions.find(({ roomId, room }) => roomId === idOrName || room === idOrName);
    if (past && error instanceof AppError) return past.roomId;
    throw error;
  }
}

function sessionAnswer(session: Session, agents: readonly AgentView[]): z.output<typeof sessionSchema> {
  const { id, roomId, room, policy, seats, startedAt, startedBy, until, endedAt, endedBy } = session;
  return {
    id,
    roomId,
    room,
    policy: writtenPolicy(policy),
    seats: seats.map((seat) => seatWithStatus(seat, agents)),
    startedAt: isoTimeOf(startedAt),
    startedBy,
    until: isoTimeOf(until),
    endedAt: isoTimeOrNull(endedAt),
    endedBy: endedBy ?? null,
  };
}

function seatWithStatus({ agentId, name, place, isExpected }: SessionSeat, agents: readonly AgentView[]) {
  const agent = agents.find(({ id }) => id === agentId);
  return {
    agentId: agentId ?? null,
    name: agent?.name ?? name,
    place: place ?? null,
    isExpected,
    status: agent?.status ?? null,
    since: isoTimeOrNull(agent?.since),
  };
}
