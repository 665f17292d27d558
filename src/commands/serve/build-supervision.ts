import { randomUUIDv7 } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { ServerEvent } from '../../core/event.ts';
import type { JsonObject } from '../../core/outcome.ts';
import type { Room } from '../../core/room.ts';
import type { Say } from '../../core/say.ts';
import type { SensorPlan } from '../../core/sensor-plan.ts';
import type { Bus } from '../../server/bus/bus.ts';
import { NoticeStream } from '../../server/evidence/notice-stream.ts';
import { RecordIntake } from '../../server/evidence/record-intake.ts';
import { SeatSilence } from '../../server/evidence/seat-silence.ts';
import type { AgentView, Fleet } from '../../server/fleet/fleet.ts';
import { SensorOrders } from '../../server/fleet/sensor-orders.ts';
import { RoomBook } from '../../server/rooms/room-book.ts';
import { SessionBook } from '../../server/rooms/session-book.ts';
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
  const rooms = new RoomBook({
    rooms: () => store.rooms(),
    setRooms: (origin, list) => store.setRooms(origin, list),
    read: readRoom,
    newId: randomUUIDv7,
    say,
  });
  const sessions = new SessionBook({
    clock,
    sessions: (limit) => store.sessions(limit),
    saveSession: (session) => store.saveSession(session),
    agents: () => fleet.views().filter(({ status }) => status !== 'revoked'),
    order: (plans) => sensorOrders.useSessions(plans),
    onChange({ id, room, policy, until }, change) {
      publish({ type: 'session', agentId: undefined, id, room, policy: policy.name, until, change });
    },
    newId: randomUUIDv7,
    say,
  });
  const agentOf = (agentId: string) => fleet.view(agentId) ?? { name: agentId, address: undefined };
  const notices = new NoticeStream({ clock, store, say, publish, nameOf: (agentId) => agentOf(agentId).name });
  const silence = new SeatSilence({
    now: () => clock.now(),
    isWatched: (agent) => sensorOrders.isWatched(agent),
    room: () => watchedRoom(fleet, sensorOrders),
    onNotice: (notice) => notices.add(notice),
  });
  bus.subscribe((event) => {
    if (event.type === 'agent') silence.noteAgent(event);
  });
  const records = new RecordIntake({
    clock,
    store,
    say,
    publish,
    agentOf,
    notices,
    silence,
    seats: () => fleet.views().map(({ id, name, address }) => ({ id, name, address, isPresent: fleet.isPresent(id) })),
    countsTraffic: (agentId) => countsTraffic(fleet.view(agentId)),
  });
  return { sensorOrders, rooms, sessions, records };
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
  { records, sensorOrders, rooms, sessions }: Supervision,
  { sensorPlans = [], rooms: ofFile = [] }: SupervisionPlans,
): Promise<void> {
  await records.chains.load();
  sensorOrders.reconcile(sensorPlans);
  await rooms.load(ofFile);
  await sessions.load();
}

export async function stopSupervision({ records, sensorOrders, sessions }: Supervision): Promise<void> {
  sessions.stop();
  sensorOrders.stop();
  await records.stop();
}
