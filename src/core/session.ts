import type { RoomPolicy } from './room.ts';

/** A room under a policy for a time, such as an exam. What it was begun with stays, whatever becomes of the room. */
export interface Session {
  /** UUID v7. */
  readonly id: string;
  readonly roomId: string;
  /** Name of the room when the session began. */
  readonly room: string;
  readonly policy: RoomPolicy;
  readonly seats: readonly SessionSeat[];
  /** Agents that join later and fit become seats as well. */
  readonly patterns: readonly string[];
  /** Epoch milliseconds by the server's clock. */
  readonly startedAt: number;
  readonly startedBy: string;
  /** The agreed end. */
  readonly until: number;
  /** Undefined while the session lasts. */
  readonly endedAt?: number;
  /** Who ended it; absent if the agreed end came. */
  readonly endedBy?: string;
}

export interface SessionSeat {
  /** Undefined of a seat that the room names and whose agent has not joined. */
  readonly agentId?: string;
  /** Name when the seat became one of the session. */
  readonly name: string;
  readonly place?: string;
  /** It must be there. */
  readonly isExpected: boolean;
}
