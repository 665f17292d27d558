import { printable } from '../core/printable.ts';
import { agentStatusWord, agentStyle, type View } from './fleet-view.ts';
import { formatTime } from './result-line.ts';
import { formatTable, type Column } from './table.ts';
import { wrap } from './text.ts';
import { counted } from './units.ts';

interface SeatRow {
  readonly name: string;
  readonly place: string | null;
  readonly isExpected: boolean;
}

interface RoomRow {
  readonly name: string;
  readonly origin: 'file' | 'api';
  readonly seats: readonly (SeatRow & { readonly agentId: string | null })[];
  readonly policies: readonly { readonly name: string }[];
  readonly session: string | null;
}

interface SeatNow extends SeatRow {
  /** Null if its agent has not joined. */
  readonly status: string | null;
  readonly since: string | null;
}

/** A session as people see it. Times are ISO 8601. */
interface SessionRow {
  readonly id: string;
  readonly room: string;
  readonly policy: {
    readonly name: string;
    readonly by: string;
    readonly purpose?: string | undefined;
    readonly sensors: readonly { readonly sensor: string }[];
  };
  readonly seats: readonly SeatNow[];
  readonly startedAt: string;
  readonly startedBy: string;
  readonly until: string;
  readonly endedAt: string | null;
  readonly endedBy: string | null;
}

type Width = Pick<View, 'paint' | 'columns'>;

const roomColumns: readonly Column<RoomRow>[] = [
  { title: 'Room', textOf: ({ name }) => name },
  { title: 'Seats', align: 'right', textOf: ({ seats }) => String(seats.length) },
  {
    title: 'Joined',
    align: 'right',
    textOf: ({ seats }) => String(seats.filter(({ agentId }) => agentId !== null).length),
  },
  {
    title: 'Session',
    textOf: ({ session }) => (session === null ? '-' : 'lasts'),
    styleOf: ({ session }) => (session === null ? undefined : 'green'),
  },
  { title: 'Policies', textOf: ({ policies }) => policies.map(({ name }) => name).join(', '), goesBelow: 1 },
  { title: 'From', textOf: ({ origin }) => origin, goesBelow: 0 },
];

export function formatRooms(rooms: readonly RoomRow[], view: Width): string {
  if (rooms.length === 0)
    return 'There is no room: write rooms: in the configuration of the server (docs/configuration.md).';
  return formatTable(rooms, roomColumns, view);
}

const sessionColumns: readonly Column<SessionRow>[] = [
  { title: 'Room', textOf: ({ room }) => room },
  { title: 'Policy', textOf: ({ policy }) => policy.name },
  { title: 'Started', textOf: ({ startedAt }) => minuteOf(startedAt) },
  {
    title: 'Ended',
    textOf: ({ endedAt, until }) => (endedAt === null ? `lasts until ${minuteOf(until)}` : minuteOf(endedAt)),
    styleOf: ({ endedAt }) => (endedAt === null ? 'green' : undefined),
  },
  { title: 'Seats', align: 'right', textOf: ({ seats }) => String(seats.length) },
  { title: 'Id', textOf: ({ id }) => id, goesBelow: 0 },
];

/** The newest last; `sessions` has the newest first. */
export function formatSessions(sessions: readonly SessionRow[], view: Width): string {
  if (sessions.length === 0) return 'There is no session: `watchkeeper session start ROOM --until 12:30` begins one.';
  return formatTable(sessions.toReversed(), sessionColumns, view);
}

const seatColumns: readonly Column<SeatNow>[] = [
  { title: 'Seat', textOf: ({ name }) => name },
  { title: 'Place', textOf: ({ place }) => place ?? '-' },
  {
    title: 'Now',
    textOf: ({ status }) => (status === null ? 'has not joined' : agentStatusWord(status)),
    styleOf: ({ status, isExpected }) => (status === null ? (isExpected ? 'red' : 'dim') : agentStyle(status)),
  },
  { title: 'Since', textOf: ({ since }) => (since === null ? '-' : formatTime(Date.parse(since))) },
  { title: 'Expected', textOf: ({ isExpected }) => (isExpected ? 'yes' : 'no') },
];

/** What it is, who is there and who is missing, then every seat. */
export function formatSession(session: SessionRow, { paint, columns }: Width): string {
  const { id, room, policy, seats, startedAt, startedBy } = session;
  const purpose = policy.purpose === undefined ? '' : `, for ${policy.purpose}`;
  const sensors = policy.sensors.map(({ sensor }) => sensor).join(', ');
  const lines = [
    `${policy.name} in ${room}: ${courseOf(session)}`,
    `Started by ${startedBy} at ${formatTime(Date.parse(startedAt))}; session ${id}.`,
    `Watched by ${policy.by}${purpose}: ${sensors}.`,
    rosterLine(session),
  ];
  const head = lines.flatMap((line) => wrap(printable(line), columns, '  ')).join('\n');
  return seats.length === 0 ? head : `${head}\n\n${formatTable(seats, seatColumns, { paint, columns })}`;
}

function courseOf({ endedAt, endedBy, until }: SessionRow): string {
  if (endedAt === null) return `lasts until ${formatTime(Date.parse(until))}.`;
  return `ended at ${formatTime(Date.parse(endedAt))}, ${endedBy === null ? 'the agreed end' : `by ${endedBy}`}.`;
}

function rosterLine({ seats, endedAt }: SessionRow): string {
  if (seats.length === 0)
    return 'The room has no seats: no agent of a name in its `seats:` has joined; `watchkeeper invite` prints the line for one.';
  if (endedAt !== null) return `${counted(seats.length, 'seat')}.`;
  const missing = seats.filter(({ isExpected, status }) => isExpected && !isThere(status)).map(({ name }) => name);
  const present = seats.filter(({ status }) => isThere(status)).length;
  const who = missing.length === 0 ? 'nobody is missing' : `missing: ${missing.join(', ')}`;
  return `${present} of ${counted(seats.length, 'seat')} are there; ${who}.`;
}

function isThere(status: string | null): boolean {
  return status === 'online' || status === 'impaired' || status === 'reconnecting';
}

function minuteOf(time: string): string {
  return formatTime(Date.parse(time)).slice(0, -3);
}
