import { happened } from '../feed.ts';
import { counts, model, monitorsByState, stateOf, type Monitor, type Voice } from '../model.ts';
import { StatusMark } from '../parts/status.tsx';
import { ageText, texts, timeText } from '../texts.ts';

/** So many are told one by one; who has more wrong at once wants the list. */
const maxShown = 30;

/** What is wrong now, where, and since when. */
export function Now() {
  const { up, down, degraded, unknown, paused } = counts.value;
  const all = up + down + degraded + unknown;
  const agents = model.value?.agents ?? [];
  const away = agents.filter(({ status }) => status !== 'online');
  const wrong = monitorsByState.value.filter((monitor) => !['up', 'paused'].includes(stateOf(monitor)));
  return (
    <>
      <header class="top">
        <h1>{all + paused === 0 ? texts.nothingYet : texts.headline(wrong.length + away.length)}</h1>
        {all > 0 && <span class="sub">{texts.seenFrom(up, all, agents.length - away.length)}</span>}
      </header>
      {all + paused === 0 && <FirstStep />}
      {away.map((agent) => (
        <article key={agent.id} class="card incident unknown">
          <div>
            <h2>
              <StatusMark status="unknown" word={texts.agentStatus[agent.status] ?? agent.status} /> {agent.name}
              <span class="tag">{texts.verdict['observer']}</span>
            </h2>
            <p class="why">{[...agent.impaired, ...agent.warnings].join('; ')}</p>
            <p class="meta">{texts.since(timeText(Date.parse(agent.since)))}</p>
          </div>
        </article>
      ))}
      {wrong.slice(0, maxShown).map((monitor) => (
        <Wrong key={monitor.id} monitor={monitor} />
      ))}
      {wrong.length > maxShown && (
        <a href="/monitors?q=state:down,degraded,unknown">{texts.monitorsAre(all, wrong.length)}</a>
      )}
      <h2 class="sec">{texts.lately}</h2>
      <Lately />
    </>
  );
}

function FirstStep() {
  return (
    <p>
      {texts.nothingYetHint} <code>watchkeeper check https example.org</code>
    </p>
  );
}

function Wrong({ monitor }: { readonly monitor: Monitor }) {
  const state = stateOf(monitor);
  const voices = monitor.voices.filter((voice) => voice.state === state);
  const [worst] = voices;
  const { since, verdict } = monitor;
  return (
    <article class={`card incident ${state}`}>
      <div>
        <h2>
          <StatusMark status={state} />
          <a href={`/monitors/${encodeURIComponent(monitor.id)}`}>{monitor.name}</a>
          {verdict && <span class={`tag ${verdict}`}>{texts.verdict[verdict] ?? verdict}</span>}
        </h2>
        <p class="why">{worst?.message}</p>
        <p class="meta">
          <span>{since === undefined ? texts.longer : texts.since(timeText(since))}</span>
          {since !== undefined && <span>{ageText(Date.now() - since)}</span>}
          <span>{texts.sayDown(voices.length, monitor.voices.length)}</span>
        </p>
      </div>
      <Voices voices={monitor.voices} />
    </article>
  );
}

const maxVoices = 6;

function Voices({ voices }: { readonly voices: readonly Voice[] }) {
  return (
    <div class="voices">
      {voices.slice(0, maxVoices).map(({ taskId, agent, state }) => (
        <div key={taskId}>
          <span>{agent.name}</span>
          <StatusMark status={state} />
        </div>
      ))}
    </div>
  );
}

function Lately() {
  if (happened.value.length === 0) return <p class="hint">{texts.nothingHappened}</p>;
  return (
    <ol class="card log">
      {happened.value.map(({ at, state, monitorId, monitor, agent, message }) => (
        <li key={`${at} ${monitorId} ${agent}`}>
          <time>{timeText(at)}</time>
          <StatusMark status={state} word="" />
          <span>
            <a href={`/monitors/${encodeURIComponent(monitorId)}`}>{texts.went(monitor, texts.status[state], agent)}</a>
            <small> {message}</small>
          </span>
        </li>
      ))}
    </ol>
  );
}
