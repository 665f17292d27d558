import { computed } from '@preact/signals';
import { conditionOf } from '../filter.ts';
import { counts, latencyOf, monitorsByState, stateOf, type Monitor, type Status } from '../model.ts';
import { LongList } from '../parts/long-list.tsx';
import { StatusMark } from '../parts/status.tsx';
import { parameter, setParameter } from '../place.ts';
import { latencyText, texts } from '../texts.ts';

const shown = computed(() => monitorsByState.value.filter(conditionOf(parameter('q'))));
const chips: readonly (Status | 'paused')[] = ['down', 'degraded', 'unknown', 'paused'];

/** All monitors, the worst first, through one filter. */
export function Monitors() {
  const { up: _up, paused, ...wrong } = counts.value;
  const filter = parameter('q');
  return (
    <>
      <header class="top">
        <h1>{texts.monitors}</h1>
        <span class="sub">
          {texts.monitorsAre(monitorsByState.value.length, wrong.down + wrong.degraded + wrong.unknown)}
        </span>
      </header>
      <div class="chips">
        <input
          class="search"
          type="search"
          value={filter}
          placeholder={texts.filter}
          aria-label={texts.filter}
          aria-keyshortcuts="/"
          onInput={({ currentTarget }) => setParameter('q', currentTarget.value)}
        />
        <Chip filter="" word={texts.all(monitorsByState.value.length)} />
        {chips.map((state) => (
          <Chip
            key={state}
            filter={`state:${state}`}
            word={`${texts.status[state].toLowerCase()} ${state === 'paused' ? paused : wrong[state as 'down']}`}
          />
        ))}
      </div>
      {shown.value.length === 0 ? <NoneFound /> : <List />}
    </>
  );
}

function Chip({ filter, word }: { readonly filter: string; readonly word: string }) {
  return (
    <button class="chip" aria-pressed={parameter('q') === filter} onClick={() => setParameter('q', filter)}>
      {word}
    </button>
  );
}

function NoneFound() {
  return (
    <p>
      {texts.noneFound}{' '}
      <button class="btn" onClick={() => setParameter('q', '')}>
        {texts.clear}
      </button>
    </p>
  );
}

function List() {
  return (
    <div class="card">
      <LongList items={shown.value} keyOf={({ id }) => id}>
        {(monitor) => <Row monitor={monitor} />}
      </LongList>
    </div>
  );
}

function Row({ monitor }: { readonly monitor: Monitor }) {
  const state = stateOf(monitor);
  const voice = monitor.voices.find((one) => one.state === state) ?? monitor.voices[0];
  return (
    <a class="row" href={`/monitors/${encodeURIComponent(monitor.id)}`}>
      <StatusMark status={state} word="" />
      <b>{monitor.name}</b>
      <span class="type">{monitor.type}</span>
      <span class="num">{latencyText(latencyOf(monitor))}</span>
      <span class="says">{voice?.message}</span>
    </a>
  );
}
