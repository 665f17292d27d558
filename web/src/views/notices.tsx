import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api.ts';
import { may, person } from '../session.ts';
import { texts, timeText } from '../texts.ts';

interface Notice {
  readonly id: number;
  readonly agent: string;
  readonly severity: string;
  readonly text: string;
  readonly lastAt: string;
  readonly count: number;
  readonly acknowledged: { readonly by: string } | null;
}

const everyMs = 5000;

/** What happened on the machines that are watched, newest first. */
export function Notices() {
  const [notices, setNotices] = useState<readonly Notice[]>();
  const load = async (): Promise<void> => {
    setNotices((await ask<{ readonly notices: readonly Notice[] }>('/notices?limit=200')).notices);
  };
  useEffect(() => {
    const look = (): void => void load().catch(() => {});
    look();
    const timer = setInterval(look, everyMs);
    return () => clearInterval(timer);
  }, []);
  const acknowledge = async (id: number): Promise<void> => {
    await ask(`/notices/${id}/acknowledgement`, { method: 'POST', body: { by: person.value?.name ?? '', note: '' } });
    await load();
  };
  return (
    <>
      <header class="top">
        <h1>{texts.notices}</h1>
      </header>
      {notices?.length === 0 && <p>{texts.noNotices}</p>}
      <ol class="notices">
        {notices?.map(({ id, agent, severity, text, lastAt, count, acknowledged }) => (
          <li key={id} class={`card incident ${severity === 'alarm' ? 'down' : 'degraded'}`}>
            <div>
              <h2>
                {agent} {count > 1 && <span class="tag">{texts.times(count)}</span>}
              </h2>
              <p class="why">{text}</p>
              <p class="meta">
                <time>{timeText(Date.parse(lastAt))}</time>
                {acknowledged && <span>{texts.acknowledgedBy(acknowledged.by)}</span>}
              </p>
            </div>
            {!acknowledged && may('operator') && (
              <button class="btn" onClick={() => void acknowledge(id)}>
                {texts.acknowledge}
              </button>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}
