import { ask } from './api.ts';
import { openNotices, type Notice } from './notices.ts';

export interface Room {
  readonly id: string;
  readonly name: string;
  readonly seats: readonly { readonly name: string }[];
  readonly policies: readonly { readonly name: string }[];
  /** Id of the session that lasts. */
  readonly session: string | null;
}

export interface Session {
  readonly id: string;
  readonly roomId: string;
  readonly room: string;
  readonly policy: { readonly name: string };
  readonly seats: readonly Seat[];
  readonly startedAt: string;
  readonly startedBy: string;
  readonly until: string;
  readonly endedAt: string | null;
}

export interface Seat {
  readonly agentId: string | null;
  readonly name: string;
  readonly place: string | null;
  readonly isExpected: boolean;
  /** Of its agent now; null if it has not joined. */
  readonly status: string | null;
}

export async function listRooms(): Promise<readonly Room[]> {
  return (await ask<{ readonly rooms: readonly Room[] }>('/rooms')).rooms;
}

/** What a wall shows: the newest session of the room, and what was told in it and not looked at yet. */
export interface Wall {
  readonly room: Room;
  readonly session: Session | undefined;
  readonly open: readonly Notice[];
}

export async function wallOf(roomId: string): Promise<Wall> {
  const id = encodeURIComponent(roomId);
  const { room } = await ask<{ readonly room: Room }>(`/rooms/${id}`);
  const { sessions } = await ask<{ readonly sessions: readonly Session[] }>(`/sessions?room=${id}&limit=1`);
  const [session] = sessions;
  const seats = new Set(session?.seats.map(({ agentId }) => agentId));
  const open = session ? (await openNotices(session.startedAt)).filter(({ agentId }) => seats.has(agentId)) : [];
  return { room, session, open };
}

export async function startSession(
  roomId: string,
  session: { policy: string; until: string; by: string },
): Promise<void> {
  await ask(`/rooms/${encodeURIComponent(roomId)}/sessions`, { method: 'POST', body: session });
}

export async function endSession(session: string, by: string): Promise<void> {
  await ask(`/sessions/${session}/end`, { method: 'POST', body: { by } });
}

export type SeatState = 'down' | 'degraded' | 'unknown' | 'up';

/** An alarm that nobody has looked at outranks a seat that is not heard, and that a notice. */
export function seatState(seat: Seat, open: readonly Notice[]): SeatState {
  const own = open.filter(({ agentId }) => agentId === seat.agentId);
  if (own.some(({ severity }) => severity === 'alarm')) return 'down';
  if (seat.status !== 'online') return 'unknown';
  return own.length > 0 ? 'degraded' : 'up';
}
