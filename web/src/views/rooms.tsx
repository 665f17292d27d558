import { useEvery } from '../every.ts';
import { listRooms } from '../rooms.ts';
import { texts } from '../texts.ts';

const everyMs = 10_000;

/** Rooms, and which of them have a session now. */
export function Rooms() {
  const { value: rooms, trouble } = useEvery(everyMs, listRooms);
  return (
    <>
      <header class="top">
        <h1>{texts.rooms}</h1>
      </header>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {rooms?.length === 0 && <p>{texts.noRooms}</p>}
      <div class="wall">
        {rooms?.map(({ id, name, seats, session }) => (
          <a key={id} class={`card seat ${session ? 'up' : 'paused'}`} href={`/rooms/${encodeURIComponent(id)}`}>
            <h2>{name}</h2>
            <p>{texts.seats(seats.length)}</p>
            <p>{session ? texts.sessionGoesOn : texts.noSession}</p>
          </a>
        ))}
      </div>
    </>
  );
}
