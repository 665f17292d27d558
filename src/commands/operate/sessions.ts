import { formatRooms, formatSession, formatSessions } from '../../terminal/session-view.ts';
import { paintFor } from '../../terminal/paint.ts';
import { columnsFor } from '../../terminal/width.ts';
import { roomsAnswer, sessionAnswer, sessionsAnswer, type SessionAnswer } from './server-answers.ts';
import { pathPart } from './path-part.ts';
import { ownName } from './own-name.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

export interface RoomsFlags extends ServerPlace {
  readonly json?: true;
}

export interface StartFlags extends ServerPlace {
  /** ISO 8601 with a zone. */
  readonly until: string;
  readonly policy?: string;
  readonly by?: string;
}

export interface EndFlags extends ServerPlace {
  readonly by?: string;
}

export interface ListSessionsFlags extends ServerPlace {
  readonly room?: string;
  readonly open?: true;
  readonly limit?: number;
  readonly json?: true;
}

export interface ShowFlags extends ServerPlace {
  readonly json?: true;
}

/** Prints every room: a table, or with `json` an object a line. */
export async function listRooms({ json, ...place }: RoomsFlags, output: NodeJS.WriteStream): Promise<void> {
  const { rooms } = await new ServerClient(lineTo(place)).get('/rooms', roomsAnswer);
  if (json) for (const room of rooms) output.write(`${JSON.stringify(room)}\n`);
  else output.write(`${formatRooms(rooms, viewOn(output))}\n`);
}

/** Begins a session and shows it. */
export async function startSession(
  room: string,
  { until, policy, by = ownName(), ...place }: StartFlags,
  output: NodeJS.WriteStream,
): Promise<void> {
  const body = { until, by, ...(policy !== undefined && { policy }) };
  const path = `/rooms/${pathPart(room)}/sessions`;
  const { session } = await new ServerClient(lineTo(place)).post(path, sessionAnswer, { body });
  show(session, output);
}

/** Ends a session and shows it. */
export async function endSession(
  which: string,
  { by = ownName(), ...place }: EndFlags,
  output: NodeJS.WriteStream,
): Promise<void> {
  const path = `/sessions/${pathPart(which)}/end`;
  const { session } = await new ServerClient(lineTo(place)).post(path, sessionAnswer, { body: { by } });
  show(session, output);
}

/** Prints sessions: a table with the newest last, or with `json` an object a line, the newest first. */
export async function listSessions(flags: ListSessionsFlags, output: NodeJS.WriteStream): Promise<void> {
  const { room, open, limit = 100, json, ...place } = flags;
  const query = new URLSearchParams({
    limit: String(limit),
    ...(room !== undefined && { room }),
    ...(open && { open: 'true' }),
  });
  const { sessions } = await new ServerClient(lineTo(place)).get(`/sessions?${query.toString()}`, sessionsAnswer);
  if (json) for (const session of sessions) output.write(`${JSON.stringify(session)}\n`);
  else output.write(`${formatSessions(sessions, viewOn(output))}\n`);
}

/** Prints one session. */
export async function showSession(
  which: string,
  { json, ...place }: ShowFlags,
  output: NodeJS.WriteStream,
): Promise<void> {
  const path = `/sessions/${pathPart(which)}`;
  const { session } = await new ServerClient(lineTo(place)).get(path, sessionAnswer);
  if (json) output.write(`${JSON.stringify(session)}\n`);
  else show(session, output);
}

function show(session: SessionAnswer, output: NodeJS.WriteStream): void {
  output.write(`${formatSession(session, viewOn(output))}\n`);
}

function viewOn(output: NodeJS.WriteStream) {
  return { paint: paintFor(output), columns: columnsFor(output) };
}
