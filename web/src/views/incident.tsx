import { useEvery } from '../every.ts';
import { getIncident, takeIncident, type FullIncident } from '../incidents.ts';
import { StatusMark } from '../parts/status.tsx';
import { may, person } from '../person.ts';
import { ageText, texts, timeText } from '../texts.ts';

const everyMs = 3000;

/** One incident: what, who is wrong, since when, who has it, who was told, and its timeline. */
export function IncidentPage({ id }: { readonly id: string }) {
  const { value: incident, trouble, again } = useEvery(everyMs, () => getIncident(id));
  if (!incident) return <h1>{trouble === '' ? texts.loading : trouble}</h1>;
  const { subject, state, summary, scope, startedAt, endedAt, durationMs, verdict, acknowledged, facts } = incident;
  const take = async (): Promise<void> => {
    await takeIncident(id, person.value?.name ?? '');
    await again();
  };
  const name =
    subject.kind === 'monitor' ? (
      <a href={`/monitors/${encodeURIComponent(subject.id)}`}>{subject.name}</a>
    ) : (
      subject.name
    );
  return (
    <>
      <header class="top">
        <h1>{name}</h1>
        <StatusMark status={state} />
        <span class="sub">
          {texts.since(timeText(Date.parse(startedAt)))}, {ageText(durationMs)}
        </span>
        <span class={`tag ${verdict}`}>{texts.verdict[verdict] ?? verdict}</span>
        {endedAt === null && !acknowledged && may('operator') && (
          <span class="right">
            <button class="btn primary" onClick={() => void take()}>
              {texts.take}
            </button>
          </span>
        )}
      </header>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      <p class="why">{[summary, scope].filter(Boolean).join(' ')}</p>
      {acknowledged && <p class="meta">{texts.hasIt(acknowledged.by)}</p>}
      <dl class="card facts">
        {facts.map(({ label, text }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <Told incident={incident} />
      <Timeline incident={incident} />
    </>
  );
}

function Told({ incident: { recipients } }: { readonly incident: FullIncident }) {
  if (recipients.length === 0) return null;
  return (
    <section>
      <h2 class="sec">{texts.whoWasTold}</h2>
      <ul class="card log">
        {recipients.map(({ notifier, told, toldAt, held }) => (
          <li key={notifier}>
            <time>{toldAt === null ? '' : timeText(Date.parse(toldAt))}</time>
            <StatusMark status={told ?? 'unknown'} word="" />
            <span>
              {notifier} {held && <small>{texts.heldBack(held.reason)}</small>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Timeline({ incident: { events } }: { readonly incident: FullIncident }) {
  return (
    <section>
      <h2 class="sec">{texts.timeline}</h2>
      <ol class="card log plain">
        {events.map(({ seq, at, kind, detail }) => (
          <li key={seq}>
            <time>{timeText(Date.parse(at))}</time>
            <span>
              <b>{kind}</b>{' '}
              <small>
                {Object.values(detail)
                  .filter((value) => typeof value === 'string')
                  .join(' · ')}
              </small>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
