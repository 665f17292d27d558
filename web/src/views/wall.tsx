import { useState } from 'preact/hooks';
import { useEvery } from '../every.ts';
import type { Notice } from '../notices.ts';
import { StatusMark } from '../parts/status.tsx';
import {
  endSession,
  seatState,
  startSession,
  wallOf,
  type Room,
  type Seat,
  type Session,
  type Wall,
} from '../rooms.ts';
import { may, person } from '../person.ts';
import { texts, timeText } from '../texts.ts';
import { NoticeList } from './notices.tsx';

const everyMs = 3000;

/** A room under watch: what needs a look on top, then every seat by its place. */
export function WallPage({ id }: { readonly id: string }) {
  const { value: wall, trouble, again } = useEvery(everyMs, () => wallOf(id));
  if (!wall) return <h1>{trouble === '' ? texts.loading : trouble}</h1>;
  const { room, session, open } = wall;
  const isOn = session !== undefined && session.endedAt === null;
  return (
    <>
      <header class="top">
        <h1>{room.name}</h1>
        <span class="sub">{isOn ? headline(wall, session) : texts.noSession}</span>
        {may('operator') && <span class="right">{isOn && <End session={session} onEnded={again} />}</span>}
      </header>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {!isOn && may('operator') && <Start room={room} onStarted={again} />}
      {isOn && (
        <div class="watch">
          <div class="wall">
            {byPlace(session.seats).map((seat) => (
              <SeatCard key={seat.name} seat={seat} open={open} />
            ))}
          </div>
          <NoticeList notices={alarmsFirst(open).slice(0, maxNotices)} onSeen={again} />
        </div>
      )}
    </>
  );
}

function headline({ open }: Wall, { seats, until, policy }: Session): string {
  const there = seats.filter(({ status }) => status === 'online').length;
  const look = seats.filter((seat) => ['down', 'degraded'].includes(seatState(seat, open))).length;
  return texts.wall({ seats: seats.length, there, look, policy: policy.name, until: timeText(Date.parse(until)) });
}

const maxNotices = 20;

function alarmsFirst(open: readonly Notice[]): readonly Notice[] {
  return open.toSorted((a, b) => Number(b.severity === 'alarm') - Number(a.severity === 'alarm') || b.id - a.id);
}

/** Places and names as people count: 2 before 10. */
function byPlace(seats: readonly Seat[]): readonly Seat[] {
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  return seats.toSorted((a, b) => compare(a.place ?? a.name, b.place ?? b.name));
}

function SeatCard({ seat, open }: { readonly seat: Seat; readonly open: readonly Notice[] }) {
  const state = seatState(seat, open);
  const [newest, ...more] = open.filter(({ agentId }) => agentId === seat.agentId);
  const status = seat.status === null ? texts.notHere : (texts.agentStatus[seat.status] ?? seat.status);
  return (
    <div class={`card seat ${state}`}>
      <h2>
        {seat.place ?? seat.name} <StatusMark status={state} word="" />
      </h2>
      <p>{seat.place === null ? status : `${seat.name}: ${status}`}</p>
      <p>
        {newest?.text} {more.length > 0 && `(+${more.length})`}
      </p>
    </div>
  );
}

function End({ session, onEnded }: { readonly session: Session; readonly onEnded: () => Promise<void> }) {
  const [isSure, setSure] = useState(false);
  const end = async (): Promise<void> => {
    await endSession(session.id, person.value?.name ?? '');
    await onEnded();
  };
  return (
    <button class="btn" onClick={() => (isSure ? void end() : setSure(true))}>
      {isSure ? texts.reallyEnd : texts.endSession}
    </button>
  );
}

const hourMs = 3_600_000;

function Start({ room, onStarted }: { readonly room: Room; readonly onStarted: () => Promise<void> }) {
  const [trouble, setTrouble] = useState('');
  const start = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement));
    // Both are fields of this form, and hold text.
    const [policy, hours] = [form['policy'] as string, Number(form['hours'])];
    try {
      const until = new Date(Date.now() + hours * hourMs).toISOString();
      await startSession(room.id, { policy, until, by: person.value?.name ?? '' });
      await onStarted();
    } catch (error) {
      setTrouble((error as Error).message);
    }
  };
  return (
    <form class="card start" onSubmit={(event) => void start(event)}>
      <label>
        {texts.policy}
        <select name="policy">
          {room.policies.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        {texts.hours}
        <input name="hours" type="number" min="0.25" max="24" step="0.25" value="2" required />
      </label>
      <button class="btn primary">{texts.startSession}</button>
      <p class="trouble" role="alert">
        {trouble}
      </p>
    </form>
  );
}
