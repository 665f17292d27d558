import type { DatabaseSync } from 'node:sqlite';
import type { Room } from '../../../core/room.ts';
import type { Session } from '../../../core/session.ts';
import type { KeptRoom, RoomOrigin } from '../rooms.ts';

/** Writes rooms and sessions. Every method is to be called within a transaction. */
export class RoomWriter {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = {
      removeRooms: db.prepare('DELETE FROM rooms WHERE origin = ?'),
      addRoom: db.prepare('INSERT OR REPLACE INTO rooms (id, origin, room) VALUES (?, ?, ?)'),
      saveSession: db.prepare(
        'INSERT OR REPLACE INTO sessions (id, roomId, startedAt, endsAt, session) VALUES (?, ?, ?, ?, ?)',
      ),
    };
  }

  setRooms(origin: RoomOrigin, rooms: readonly Room[]): void {
    this.#statements.removeRooms.run(origin);
    for (const room of rooms) this.#statements.addRoom.run(room.id, origin, JSON.stringify(room));
  }

  saveSession(session: Session): void {
    const { id, roomId, startedAt, until, endedAt = until } = session;
    this.#statements.saveSession.run(id, roomId, startedAt, endedAt, JSON.stringify(session));
  }
}

export class RoomReader {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = {
      rooms: db.prepare('SELECT origin, room FROM rooms ORDER BY id'),
      sessions: db.prepare('SELECT session FROM sessions ORDER BY startedAt DESC, id DESC LIMIT ?'),
    };
  }

  rooms(): readonly KeptRoom[] {
    return this.#statements.rooms.all().map(({ origin, room }) => ({
      // The columns hold what the writer put there.
      origin: String(origin) as RoomOrigin,
      room: JSON.parse(String(room)) as Room,
    }));
  }

  sessions(limit: number): readonly Session[] {
    return this.#statements.sessions.all(limit).map(({ session }) => JSON.parse(String(session)) as Session);
  }
}
