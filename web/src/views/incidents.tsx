import { useEvery } from '../every.ts';
import { listIncidents, type Incident } from '../incidents.ts';
import { StatusMark } from '../parts/status.tsx';
import { ageText, texts, timeText } from '../texts.ts';

const everyMs = 5000;

/** What went wrong, those that go on first. */
export function Incidents() {
  const { value: incidents, trouble } = useEvery(everyMs, listIncidents);
  const [open, ended] = [
    (incidents ?? []).filter(({ endedAt }) => endedAt === null),
    (incidents ?? []).filter(({ endedAt }) => endedAt !== null),
  ];
  return (
    <>
      <header class="top">
        <h1>{texts.incidents}</h1>
        {incidents && <span class="sub">{texts.openIncidents(open.length)}</span>}
      </header>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {open.map((incident) => (
        <Card key={incident.id} incident={incident} />
      ))}
      {ended.length > 0 && <h2 class="sec">{texts.ended}</h2>}
      {ended.map((incident) => (
        <Card key={incident.id} incident={incident} />
      ))}
    </>
  );
}

function Card({ incident }: { readonly incident: Incident }) {
  const { id, subject, state, worst, summary, scope, startedAt, endedAt, durationMs, verdict, acknowledged } = incident;
  return (
    <article class={`card incident ${endedAt === null ? worst : 'over'}`}>
      <div>
        <h2>
          <StatusMark status={endedAt === null ? state : 'up'} word={endedAt === null ? undefined : ''} />
          <a href={`/incidents/${id}`}>{subject.name}</a>
          <span class={`tag ${verdict}`}>{texts.verdict[verdict] ?? verdict}</span>
        </h2>
        <p class="why">{[summary, scope].filter(Boolean).join(' ')}</p>
        <p class="meta">
          <span>{texts.since(timeText(Date.parse(startedAt)))}</span>
          <span>{ageText(durationMs)}</span>
          {acknowledged && <span>{texts.hasIt(acknowledged.by)}</span>}
        </p>
      </div>
    </article>
  );
}
