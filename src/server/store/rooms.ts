import type { Room } from '../../core/room.ts';
import type { Session } from '../../core/session.ts';

/** Rooms, and their sessions. */
export interface Rooms {
  rooms(): Promise<readonly KeptRoom[]>;
  /** Makes these the rooms of this origin, all or none. */
  setRooms(origin: RoomOrigin, rooms: readonly Room[]): Promise<void>;
  /** Sessions, the newest first, at most `limit`. */
  sessions(limit: number): Promise<readonly Session[]>;
  /** Adds the session or replaces it. */
  saveSession(session: Session): Promise<void>;
}

/** `file`: written in the configuration, and changed only there. */
export const roomOrigins = ['file', 'api'] as const;
export type RoomOrigin = (typeof roomOrigins)[number];

export interface KeptRoom {
  readonly origin: RoomOrigin;
  readonly room: Room;
}
