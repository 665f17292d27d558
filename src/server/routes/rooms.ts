import { z } from 'zod';
import type { JsonObject } from '../../core/outcome.ts';
import { strictnesses } from '../../core/room.ts';
import { sensorNames } from '../../core/sensor.ts';
import type { SessionSeat } from '../../core/session.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { RoomBook } from '../rooms/room-book.ts';
import { seatsOf } from '../rooms/session-book.ts';
import { roomOrigins, type KeptRoom } from '../store/rooms.ts';
import { defineRoute, type Route } from './route.ts';

const roomParams = z.strictObject({ room: z.string() });

/** As in the configuration file; the server's reader of rooms says what is wrong with it. */
const definition = z.record(z.string(), z.unknown()) as unknown as z.ZodType<JsonObject>;

export const policyAnswer = z
  .strictObject({
    name: z.string(),
    by: z.string(),
    purpose: z.string().optional(),
    otherDevices: z.enum(strictnesses),
    otherPeers: z.enum(strictnesses),
    sensors: z.array(z.strictObject({ sensor: z.enum(sensorNames), options: z.record(z.string(), z.unknown()) })),
  })
  .meta({ id: 'RoomPolicy' });

export const seatAnswer = z
  .strictObject({
    agentId: z.string().nullable().meta({ description: 'Null of a seat whose agent has not joined' }),
    name: z.string(),
    place: z.string().nullable(),
    isExpected: z.boolean(),
  })
  .meta({ id: 'RoomSeat' });

export const roomSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    origin: z.enum(roomOrigins),
    seats: z.array(seatAnswer),
    policies: z.array(policyAnswer),
    session: z.string().nullable().meta({ description: 'Id of the session that lasts; null if none does' }),
  })
  .meta({ id: 'Room' });

const one = z.strictObject({ room: roomSchema });

export interface RoomsPorts {
  readonly book: RoomBook;
  agents(): readonly AgentView[];
  /** Id of the session that lasts in a room. */
  openSession(roomId: string): string | undefined;
  /** What OpenAPI says of a definition; the book reads it. */
  readonly bodyDocument: z.ZodType;
}

/** Rooms of the configuration file, and those made here. */
export function roomsRoutes(ports: RoomsPorts): readonly Route[] {
  return [...listRoutes(ports), ...definitionRoutes(ports)];
}

function listRoutes(ports: RoomsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listRooms',
      method: 'get',
      path: '/rooms',
      errors: [],
      summary: 'Every room, its seats and its policies',
      response: z.strictObject({ rooms: z.array(roomSchema) }),
      handle: async () => ({ rooms: ports.book.entries().map((entry) => roomAnswer(entry, ports)) }),
    }),
    defineRoute({
      name: 'getRoom',
      method: 'get',
      path: '/rooms/{room}',
      errors: ['not-found'],
      summary: 'One room, by id or name',
      params: roomParams,
      response: one,
      handle: async ({ params }) => ({ room: roomAnswer(ports.book.find(params.room), ports) }),
    }),
  ];
}

function definitionRoutes(ports: RoomsPorts): readonly Route[] {
  const { book, bodyDocument } = ports;
  const body = { body: definition, bodyDocument, response: one };
  return [
    defineRoute({
      name: 'createRoom',
      method: 'post',
      path: '/rooms',
      errors: ['conflict', 'unavailable'],
      summary: 'Make a room, written as in the configuration file',
      ...body,
      locationOf: ({ room: { id } }) => `/rooms/${id}`,
      handle: async ({ body: room }) => ({ room: roomAnswer(await book.create(room), ports) }),
    }),
    defineRoute({
      name: 'replaceRoom',
      method: 'put',
      path: '/rooms/{room}',
      errors: ['not-found', 'conflict', 'unavailable'],
      summary: 'Replace a room that was made here; a session that lasts goes on as it began',
      params: roomParams,
      ...body,
      handle: async ({ params, body: room }) => ({ room: roomAnswer(await book.change(params.room, room), ports) }),
    }),
    defineRoute({
      name: 'deleteRoom',
      method: 'delete',
      path: '/rooms/{room}',
      errors: ['not-found', 'conflict', 'unavailable'],
      summary: 'Delete a room that was made here; its sessions stay until retention drops them',
      params: roomParams,
      response: z.strictObject({}),
      handle: async ({ params }) => await book.remove(params.room),
    }),
  ];
}

function roomAnswer({ room, origin }: KeptRoom, ports: RoomsPorts): z.output<typeof roomSchema> {
  const { id, name, policies } = room;
  const present = ports.agents().filter(({ status }) => status !== 'revoked');
  const seats = seatsOf(room, present).map(seatAnswerOf);
  return { id, name, origin, seats, policies: policies.map(writtenPolicy), session: ports.openSession(id) ?? null };
}

function seatAnswerOf({ agentId, name, place, isExpected }: SessionSeat): z.output<typeof seatAnswer> {
  return { agentId: agentId ?? null, name, place: place ?? null, isExpected };
}

/** Of lists that may not be changed, copies that may. */
export function writtenPolicy(policy: KeptRoom['room']['policies'][number]): z.output<typeof policyAnswer> {
  return { ...policy, sensors: policy.sensors.map((sensor) => ({ ...sensor })) };
}
