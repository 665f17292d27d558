import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { closeFeed, openFeed, silentSince } from './feed.ts';
import { counts, model } from './model.ts';
import { follow, words } from './place.ts';
import { findPerson, person, signOut } from './person.ts';
import { texts, timeText } from './texts.ts';
import { Agents } from './views/agents.tsx';
import { IncidentPage } from './views/incident.tsx';
import { Incidents } from './views/incidents.tsx';
import { MonitorPage } from './views/monitor.tsx';
import { Monitors } from './views/monitors.tsx';
import { Notices } from './views/notices.tsx';
import { Now } from './views/now.tsx';
import { Rooms } from './views/rooms.tsx';
import { SignIn } from './views/sign-in.tsx';
import { WallPage } from './views/wall.tsx';

const pages = [
  ['', texts.now],
  ['monitors', texts.monitors],
  ['incidents', texts.incidents],
  ['agents', texts.agents],
  ['rooms', texts.rooms],
  ['notices', texts.notices],
] as const;

function App() {
  useEffect(() => void findPerson().catch(() => (silentSince.value ??= Date.now())), []);
  if (person.value === undefined) return <main class="door">{texts.loading}</main>;
  return person.value === null ? <SignIn /> : <Signed />;
}

function Signed() {
  useEffect(() => {
    openFeed();
    addEventListener('keydown', focusFilter);
    return () => {
      closeFeed();
      removeEventListener('keydown', focusFilter);
    };
  }, []);
  const { down, degraded, unknown } = counts.value;
  const wrong = down + degraded + unknown;
  document.title = `${wrong > 0 ? `(${wrong}) ` : ''}Watchkeeper`;
  return (
    <div class="app" onClick={follow}>
      <a class="skip" href="#content">
        {texts.skip}
      </a>
      <nav aria-label={texts.main}>
        <a class="brand" href="/">
          Watchkeeper
        </a>
        {pages.map(([path, word]) => (
          <a key={path} href={`/${path}`} aria-current={(words.value[0] ?? '') === path ? 'page' : undefined}>
            {word}
            {path === '' && wrong > 0 && <b>{wrong}</b>}
            {path === 'monitors' && <i>{model.value?.monitors.length ?? ''}</i>}
          </a>
        ))}
        <p class="foot">
          {person.value?.name}
          <button onClick={() => void signOut()}>{texts.signOut}</button>
        </p>
      </nav>
      <main id="content">
        {silentSince.value !== undefined && (
          <p class="stale" role="status">
            {texts.stale(timeText(silentSince.value))}
          </p>
        )}
        {model.value ? <Page /> : <p>{texts.loading}</p>}
      </main>
    </div>
  );
}

function Page() {
  const [page = '', id] = words.value;
  if (page === 'monitors') return id === undefined ? <Monitors /> : <MonitorPage key={id} id={id} />;
  if (page === 'incidents') return id === undefined ? <Incidents /> : <IncidentPage key={id} id={id} />;
  if (page === 'agents') return <Agents />;
  if (page === 'notices') return <Notices />;
  if (page === 'rooms') return id === undefined ? <Rooms /> : <WallPage key={id} id={id} />;
  return <Now />;
}

/** `/` goes to the filter, unless somebody writes. */
function focusFilter(event: KeyboardEvent): void {
  const isWriting = (event.target as HTMLElement).matches('input, textarea, select');
  const box = document.querySelector<HTMLInputElement>('.search');
  if (event.key !== '/' || isWriting || !box) return;
  event.preventDefault();
  box.focus();
}

render(<App />, document.querySelector('#app')!);
