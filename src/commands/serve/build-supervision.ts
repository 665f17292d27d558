import { randomUUIDv7 } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { ServerEvent } from '../../core/event.ts';
import type { JsonObject } from '../../core/outcome.ts';
import type { Room } from '../../core/room.ts';
import type { Say } from '../../core/say.ts';
import type { Session } from '../../core/session.ts';
import type { SensorPlan } from '../../core/sensor-plan.ts';
import type { Bus } from '../../server/bus/bus.ts';
import { NoticeStream } from '../../server/evidence/notice-stream.ts';
import { RecordIntake } from '../../server/evidence/record-intake.ts';
import { SeatSilence } from '../../server/evidence/seat-silence.ts';
import type { AgentView, Fleet } from '../../server/fleet/fleet.ts';
import { SensorOrders } from '../../server/fleet/sensor-orders.ts';
import { RoomBook } from '../../server/rooms/room-book.ts';
import { Roster } from '../../server/rooms/roster.ts';
import { SessionJudge } from '../../server/rooms/session-judge.ts';
import { SessionBook, type SessionChange } from '../../server/rooms/session-book.ts';
import type { NewNotice } from '../../server/store/notices.ts';
import type { Store } from '../../server/store/store.ts';

export interface SupervisionParts {
  readonly clock: Clock;
  readonly store: Store;
  /** A room out of what a person wrote. @throws {AppError} usage */
  readonly readRoom: (definition: JsonObject) => Room;
  readonly say: Say;
}

interface SupervisionPorts {
  readonly fleet: Fleet;
  readonly bus: Bus;
  readonly publish: (event: ServerEvent) => void;
}

/** Rooms, their sessions, the orders for the sensors of agents, and the records that come of them. */
export type Supervision = ReturnType<typeof buildSupervision>;

export function buildSupervision(
  { clock, store, readRoom, say }: SupervisionParts,
  { fleet, bus, publish }: SupervisionPorts,
) {
  const sensorOrders = new SensorOrders(clock);
  const rooms = roomBookOf({ store, readRoom, say });
  const sessions = new SessionBook({
    clock,
    sessions: (limit) => store.sessions(limit),
    saveSession: (session) => store.saveSession(session),
    agents: () => fleet.views().filter(({ status }) => status !== 'revoked'),
    order: (plans) => sensorOrders.useSessions(plans),
    onChange: (session, change) => changed(session, change),
    newId: randomUUIDv7,
    say,
  });
  const changed = (session: Session, change: SessionChange): void => {
    const { id, room, policy, until } = session;
    publish({ type: 'session', agentId: undefined, id, room, policy: policy.name, until, change });
    roster.note(session, change);
  };
  const agentOf = (agentId: string) => fleet.view(agentId) ?? { name: agentId, address: undefined };
  const nameOf = (agentId: string): string => (agentId === '' ? 'the room' : agentOf(agentId).name);
  const sessionIdOf = (agentId: string, at: number) => sessions.of(agentId, at)?.id;
  const notices = new NoticeStream({ clock, store, say, publish, nameOf, sessionIdOf });
  const onNotice = (notice: NewNotice): void => notices.add(notice);
  const roster = rosterOf({ clock, fleet, onNotice });
  const silence = silenceOf({ clock, fleet, sensorOrders, roster, onNotice });
  bus.subscribe((event) => {
    if (event.type !== 'agent') return;
    silence.noteAgent(event);
    if (fleet.isPresent(event.agentId)) roster.arrived(event.agentId, event.name);
  });
  const judge = new SessionJudge((agentId, at) => sessions.of(agentId, at));
  const records = new RecordIntake({
    clock,
    store,
    say,
    publish,
    agentOf,
    notices,
    silence,
    judge: (record) => judge.judge(record),
    seats: () => fleet.views().map(({ id, name, address }) => ({ id, name, address, isPresent: fleet.isPresent(id) })),
    countsTraffic: (agentId) => countsTraffic(fleet.view(agentId)),
  });
  return { sensorOrders, rooms, sessions, roster, records };
}

function roomBookOf({ store, readRoom, say }: Pick<SupervisionParts, 'store' | 'readRoom' | 'say'>): RoomBook {
  return new RoomBook({
    rooms: () => store.rooms(),
    setRooms: (origin, list) => store.setRooms(origin, list),
    read: readRoom,
    newId: randomUUIDv7,
    say,
  });
}

function rosterOf({
  clock,
  fleet,
  onNotice,
}: Pick<SupervisionParts, 'clock'> &
  Pick<SupervisionPorts, 'fleet'> & { readonly onNotice: (notice: NewNotice) => void }): Roster {
  return new Roster({
    now: () => clock.now(),
    presence(agentId) {
      const view = fleet.view(agentId);
      return view && { isPresent: fleet.isPresent(agentId), lastSeenAt: view.lastSeenAt };
    },
    onNotice,
  });
}

interface SilencePorts extends Pick<SupervisionParts, 'clock'>, Pick<SupervisionPorts, 'fleet'> {
  readonly sensorOrders: SensorOrders;
  readonly roster: Roster;
  readonly onNotice: (notice: NewNotice) => void;
}

function silenceOf({ clock, fleet, sensorOrders, roster, onNotice }: SilencePorts): SeatSilence {
  return new SeatSilence({
    now: () => clock.now(),
    // Of who has not come yet the roster tells.
    isWatched: (agent) => sensorOrders.isWatched(agent) && !roster.isAwaited(agent.id),
    room: () => watchedRoom(fleet, sensorOrders),
    onNotice,
  });
}

/** How many agents are to watch their machines, and how many of them are not heard. */
function watchedRoom(fleet: Fleet, orders: SensorOrders): { readonly silent: number; readonly watched: number } {
  const watched = fleet.views().filter((view) => view.status !== 'revoked' && orders.isWatched(view));
  return { watched: watched.length, silent: watched.filter(({ status }) => status === 'offline').length };
}

/** Whether an agent's sensor of traffic works, as it last said. */
function countsTraffic(view: AgentView | undefined): boolean {
  return view?.sensors.some(({ sensor, state }) => sensor === 'traffic' && state !== 'unavailable') ?? false;
}

export interface SupervisionPlans {
  /** Of the configuration file. */
  readonly sensorPlans?: readonly SensorPlan[] | undefined;
  readonly rooms?: readonly Room[] | undefined;
}

/** Reads what was known when the server last ran. */
export async function loadSupervision(
  { records, sensorOrders, rooms, sessions, roster }: Supervision,
  { sensorPlans = [], rooms: ofFile = [] }: SupervisionPlans,
): Promise<void> {
  await records.chains.load();
  sensorOrders.reconcile(sensorPlans);
  await rooms.load(ofFile);
  await sessions.load();
  for (const session of sessions.open) roster.resume(session);
}

export async function stopSupervision({ records, sensorOrders, sessions }: Supervision): Promise<void> {
  sessions.stop();
  sensorOrders.stop();
  await records.stop();
}
