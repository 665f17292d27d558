import { lazy, Suspense } from 'preact/compat';
import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api.ts';
import { refresh } from '../feed.ts';
import { historyOf, ranges, type History, type Range } from '../history.ts';
import { model, stateOf, type Monitor } from '../model.ts';
import { HistoryBar } from '../parts/history-bar.tsx';
import { StatusMark } from '../parts/status.tsx';
import { parameter, setParameter } from '../place.ts';
import { may } from '../person.ts';
import { ageText, latencyText, texts, timeText } from '../texts.ts';

/** It brings a library along that no other page needs. */
const Chart = lazy(async () => (await import('../parts/chart.tsx')).Chart);

/** One monitor: how it is, from where, how it was, and what can be done. */
export function MonitorPage({ id }: { readonly id: string }) {
  const monitor = model.value?.monitors.find((one) => one.id === id);
  if (!monitor) return <h1>{model.value ? texts.noSuchMonitor : texts.loading}</h1>;
  const state = stateOf(monitor);
  const { since } = monitor;
  return (
    <>
      <header class="top">
        <h1>{monitor.name}</h1>
        <StatusMark status={state} />
        <span class="sub">
          {since === undefined ? texts.longer : `${texts.since(timeText(since))}, ${ageText(Date.now() - since)}`}
          {' · '}
          {monitor.type} · {monitor.target} · {texts.everyInterval(ageText(monitor.intervalMs))}
        </span>
        <Actions monitor={monitor} />
      </header>
      <Voices monitor={monitor} />
      <Past monitor={monitor} />
    </>
  );
}

function Actions({ monitor: { id, name, isPaused } }: { readonly monitor: Monitor }) {
  const [isBusy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState('');
  if (!may('operator')) return null;
  const act = async (what: string): Promise<void> => {
    setBusy(true);
    setTrouble('');
    try {
      await ask(`/monitors/${encodeURIComponent(id)}/${what}`, { method: 'POST' });
      await refresh();
    } catch (error) {
      setTrouble((error as Error).message);
    }
    setBusy(false);
  };
  return (
    <span class="right">
      <button class="btn" disabled={isBusy} onClick={() => void act('run?wait=30s')}>
        {isBusy ? texts.running : texts.runNow}
      </button>
      <button class="btn" disabled={isBusy} onClick={() => void act(isPaused ? 'resume' : 'pause')}>
        {isPaused ? texts.resume : texts.pause}
      </button>
      <CopyCommand command={`watchkeeper results '${name.replaceAll("'", `'\\''`)}' --since 1h`} />
      <span class="trouble" role="alert">
        {trouble}
      </span>
    </span>
  );
}

function CopyCommand({ command }: { readonly command: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(command);
    setCopied(true);
  };
  return (
    <button class="btn" title={command} onClick={() => void copy()}>
      {isCopied ? texts.copied : texts.asCommand}
    </button>
  );
}

function Voices({ monitor: { voices } }: { readonly monitor: Monitor }) {
  return (
    <section>
      <h2 class="sec">{texts.voices}</h2>
      <div class="card scroll" role="region" tabIndex={0} aria-label={texts.voices}>
        <table>
          <tbody>
            {voices.map(({ taskId, agent, state, since, latencyMs, message }) => (
              <tr key={taskId}>
                <td>
                  <b>{agent.name}</b>
                </td>
                <td>
                  <StatusMark status={state} /> <small>{since === undefined ? '' : ageText(Date.now() - since)}</small>
                </td>
                <td class="num">{latencyText(latencyMs)}</td>
                <td class="grow">{message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Past({ monitor }: { readonly monitor: Monitor }) {
  const range = (parameter('last') in ranges ? parameter('last') : '24h') as Range;
  const [past, setPast] = useState<History>();
  useEffect(() => {
    const leaving = new AbortController();
    historyOf(monitor.voices, range, leaving.signal).then(setPast, () => setPast(undefined));
    return () => leaving.abort();
  }, [monitor.id, range]);
  return (
    <section>
      <h2 class="sec">{texts.answerTime}</h2>
      <div class="card chart">
        <p class="ranges">
          {Object.keys(ranges).map((one) => (
            <button key={one} class="chip" aria-pressed={one === range} onClick={() => setParameter('last', one)}>
              {texts.range[one]}
            </button>
          ))}
        </p>
        {past && past.lines.length > 0 ? (
          <Suspense fallback={<div class="plot" />}>
            <Chart times={past.times} lines={past.lines} label={`${texts.answerTime}: ${monitor.name}`} />
          </Suspense>
        ) : (
          <p class="hint plot">{past ? texts.noResults : texts.loading}</p>
        )}
        {past && <HistoryBar slots={past.slots} />}
      </div>
    </section>
  );
}
