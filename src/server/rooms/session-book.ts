import type { Cancel, Clock } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { nearestWord } from '../../core/nearest.ts';
import { quoted } from '../../core/quoted.ts';
import { meansAgent, type NamedAgent, type Room, type RoomPolicy } from '../../core/room.ts';
import type { SensorPlan } from '../../core/sensor-plan.ts';
import type { Session, SessionSeat } from '../../core/session.ts';
import type { Rooms } from '../store/rooms.ts';

export interface SessionBookPorts extends Pick<Rooms, 'sessions' | 'saveSession'> {
  readonly clock: Clock;
  /** Every agent that is listed and not revoked. */
  agents(): readonly NamedAgent[];
  /** Makes these the plans of the sessions. */
  order(plans: readonly SensorPlan[]): void;
  /** A session began, ended, or got a seat; durable. */
  onChange(session: Session, change: SessionChange): void;
  /** A new UUID v7. */
  newId(): string;
  /** A line for the operator. */
  say(text: string): void;
}

export type SessionChange = 'started' | 'ended' | 'seat-joined';

export interface NewSession {
  /** May be absent where the room has one. */
  readonly policy?: string | undefined;
  /** Epoch milliseconds. */
  readonly until: number;
  readonly by: string;
}

/** Nobody is watched for longer without a new order. */
const longestMs = 7 * 86_400_000;
/** A timer takes no longer delays; what ends later is looked at again. */
const longestLookMs = 3_600_000;
const retryMs = 5000;
/** Of more that have ended only the store knows. */
const maxKnown = 10_000;

/** Sessions of all rooms: begins and ends them, and has their seats watched meanwhile. Each is kept before it is in force. */
export class SessionBook {
  readonly #ports: SessionBookPorts;
  #sessions: readonly Session[] = [];
  #cancelLook: Cancel = () => {};
  #turn: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(ports: SessionBookPorts) {
    this.#ports = ports;
  }

  /** What was open goes on; what should have ended meanwhile has ended. */
  async load(): Promise<void> {
    this.#sessions = await this.#ports.sessions(maxKnown);
    await this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelLook();
  }

  /** The newest first. */
  get sessions(): readonly Session[] {
    return this.#sessions;
  }

  get open(): readonly Session[] {
    return this.#sessions.filter(({ endedAt }) => endedAt === undefined);
  }

  /** By the id of a session, or by that or the name of a room whose newest session is meant. @throws {AppError} not-found */
  find(idOrRoom: string): Session {
    const found =
      this.#sessions.find(({ id }) => id === idOrRoom) ??
      this.#sessions.find(({ roomId, room }) => roomId === idOrRoom || room === idOrRoom);
    if (found) return found;
    const nearest = nearestWord(idOrRoom, [...new Set(this.#sessions.map(({ room }) => room))]);
    const hint =
      nearest === undefined ? '; `watchkeeper session list` shows all' : `; did you mean ${quoted(nearest)}?`;
    throw new AppError('not-found', `there is no session ${quoted(idOrRoom)}, nor one of a room of that name${hint}`);
  }

  /** The session in which an agent was watched at a time by the server's clock. */
  of(agentId: string, at: number): Session | undefined {
    return this.#sessions.find(
      ({ seats, startedAt, endedAt = Infinity }) =>
        at >= startedAt && at <= endedAt && seats.some((seat) => seat.agentId === agentId),
    );
  }

  /** @throws {AppError} conflict, usage, unavailable */
  async start(room: Room, { policy: policyName, until, by }: NewSession): Promise<Session> {
    return await this.#inTurn(async () => {
      const startedAt = this.#ports.clock.now();
      const policy = policyOf(room, policyName);
      assertEnd(until, startedAt);
      this.#assertFree(room);
      const seats = seatsOf(room, this.#ports.agents());
      const patterns = room.seats.filter((pattern) => !seats.some(({ agentId }) => agentId === pattern));
      const session: Session = {
        id: this.#ports.newId(),
        roomId: room.id,
        room: room.name,
        policy,
        seats,
        patterns,
        startedAt,
        startedBy: by,
        until,
      };
      this.#assertOnce(session);
      await this.#save(session, 'started');
      return session;
    });
  }

  /** @throws {AppError} conflict, unavailable */
  async end(id: string, by: string): Promise<Session> {
    return await this.#inTurn(async () => {
      const session = this.find(id);
      if (session.endedAt !== undefined)
        throw new AppError(
          'conflict',
          `the session in ${session.room} has ended at ${new Date(session.endedAt).toISOString()}`,
        );
      const ended = { ...session, endedAt: this.#ports.clock.now(), endedBy: by };
      await this.#save(ended, 'ended');
      return ended;
    });
  }

  /** An agent has joined, or has another name: it may be one of the seats that a session waits for. */
  noteAgent(agent: NamedAgent): void {
    for (const session of this.open) {
      const { seats, patterns } = session;
      const isKnown = seats.some(({ agentId }) => agentId === agent.id);
      if (isKnown || !patterns.some((pattern) => meansAgent(pattern, agent))) continue;
      void this.#inTurn(async () => {
        const now = this.#sessions.find(({ id }) => id === session.id);
        if (now?.endedAt === undefined && now) await this.#save(withSeat(now, agent), 'seat-joined');
      }).catch((error: Error) =>
        this.#ports.say(`Agent ${agent.name} is not yet a seat of ${session.room}: ${error.message}`),
      );
    }
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #save(session: Session, change: SessionChange): Promise<void> {
    await this.#ports.saveSession(session);
    const others = this.#sessions.filter(({ id }) => id !== session.id);
    this.#sessions = [session, ...others].toSorted((a, b) => b.startedAt - a.startedAt).slice(0, maxKnown);
    this.#ports.onChange(session, change);
    this.#order();
    this.#lookSoon();
  }

  #order(): void {
    this.#ports.order(this.open.map(planOf));
  }

  /** Ends what has come to its agreed end. */
  async #look(): Promise<void> {
    const now = this.#ports.clock.now();
    const over = this.open.filter(({ until }) => until <= now);
    try {
      for (const session of over) await this.#inTurn(() => this.#save({ ...session, endedAt: session.until }, 'ended'));
      this.#order();
      this.#lookSoon();
    } catch (error) {
      this.#ports.say(`A session cannot be ended until the store answers: ${(error as Error).message}`);
      this.#lookSoon(retryMs);
    }
  }

  #lookSoon(leastMs = 0): void {
    this.#cancelLook();
    if (this.#isStopped || this.open.length === 0) return;
    const leftMs = Math.min(...this.open.map(({ until }) => until)) - this.#ports.clock.now();
    const delayMs = Math.max(leastMs, Math.min(Math.max(0, leftMs), longestLookMs));
    this.#cancelLook = this.#ports.clock.after(delayMs, () => void this.#look());
  }

  #assertFree({ id, name }: Room): void {
    const open = this.open.find(({ roomId }) => roomId === id);
    if (!open) return;
    const next = `end it with \`watchkeeper session end ${quoted(name)}\``;
    throw new AppError(
      'conflict',
      `there is a session in ${quoted(name)} already, since ${new Date(open.startedAt).toISOString()}: ${next}`,
    );
  }

  /** A machine is under one policy at a time. */
  #assertOnce({ seats, room }: Session): void {
    for (const other of this.open) {
      const shared = seats.find(
        ({ agentId }) => agentId !== undefined && other.seats.some((seat) => seat.agentId === agentId),
      );
      if (shared) {
        const where = `a seat of ${quoted(room)} and of ${quoted(other.room)}`;
        throw new AppError(
          'conflict',
          `${shared.name} is ${where}, where a session lasts: a machine is in one session at a time`,
        );
      }
    }
  }
}

function assertEnd(until: number, now: number): void {
  if (until <= now)
    throw new AppError(
      'usage',
      `expected an end in the future, got ${new Date(until).toISOString()}, and it is ${new Date(now).toISOString()}`,
    );
  if (until - now > longestMs)
    throw new AppError(
      'usage',
      `expected an end within ${formatDuration(longestMs)}, got ${new Date(until).toISOString()}`,
    );
}

function policyOf({ name, policies }: Room, wanted: string | undefined): RoomPolicy {
  const names = policies.map((policy) => policy.name);
  const [only, ...more] = policies;
  if (wanted === undefined && only && more.length === 0) return only;
  if (wanted === undefined)
    throw new AppError(
      'usage',
      `room ${quoted(name)} has several policies: say which with --policy: ${names.join(', ')}`,
    );
  const found = policies.find((policy) => policy.name === wanted);
  if (found) return found;
  throw new AppError('not-found', `room ${quoted(name)} has no policy ${quoted(wanted)}; it has ${names.join(', ')}`);
}

/** The seats of a room: those whose agents have joined, and those that are named, also by their place alone, and have not. */
export function seatsOf(room: Room, agents: readonly NamedAgent[]): readonly SessionSeat[] {
  const { seats: patterns, places, expected } = room;
  const joined = agents.filter((agent) => patterns.some((pattern) => meansAgent(pattern, agent)));
  const isExpected = (agent: NamedAgent): boolean => expected?.some((pattern) => meansAgent(pattern, agent)) ?? true;
  const placed = Object.keys(places).filter((name) =>
    patterns.some((pattern) => meansAgent(pattern, { id: name, name })),
  );
  const named = [...new Set([...patterns, ...(expected ?? []), ...placed])].filter((pattern) => !pattern.includes('*'));
  const missing = named.filter((pattern) => !joined.some((agent) => meansAgent(pattern, agent)));
  const seatOf = (agent: NamedAgent, isJoined: boolean): SessionSeat => {
    const place = places[agent.name] ?? places[agent.id];
    return {
      ...(isJoined && { agentId: agent.id }),
      name: agent.name,
      ...(place !== undefined && { place }),
      isExpected: isExpected(agent),
    };
  };
  const seats = [
    ...joined.map((agent) => seatOf(agent, true)),
    ...missing.map((name) => seatOf({ id: name, name }, false)),
  ];
  return seats.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** The agent takes the seat that was waiting for it, or a new one. */
function withSeat(session: Session, { id, name }: NamedAgent): Session {
  const waiting = session.seats.find((seat) => seat.agentId === undefined && (seat.name === name || seat.name === id));
  const seat = { isExpected: false, ...waiting, agentId: id, name };
  return { ...session, seats: [...session.seats.filter((other) => other !== waiting), seat] };
}

/** What the seats of a session are to watch, until its end. */
function planOf({ seats, policy, until, room }: Session): SensorPlan {
  const { by, purpose, sensors } = policy;
  return {
    agentIds: seats.flatMap(({ agentId }) => agentId ?? []),
    by,
    purpose: purpose ?? `${policy.name} in ${room}`,
    until,
    sensors,
  };
}
