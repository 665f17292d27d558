import { useEvery } from '../every.ts';
import { acknowledge, listNotices, type Notice } from '../notices.ts';
import { may, person } from '../person.ts';
import { texts, timeText } from '../texts.ts';

const everyMs = 5000;

/** What happened on the machines that are watched, newest first. */
export function Notices() {
  const { value: notices, trouble, again } = useEvery(everyMs, listNotices);
  return (
    <>
      <header class="top">
        <h1>{texts.notices}</h1>
      </header>
      <p class="trouble" role="alert">
        {trouble}
      </p>
      {notices?.length === 0 && <p>{texts.noNotices}</p>}
      <NoticeList notices={notices ?? []} onSeen={again} />
    </>
  );
}

interface ListProps {
  readonly notices: readonly Notice[];
  readonly onSeen: () => Promise<void>;
}

export function NoticeList({ notices, onSeen }: ListProps) {
  const see = async (id: number): Promise<void> => {
    await acknowledge(id, person.value?.name ?? '');
    await onSeen();
  };
  return (
    <ol>
      {notices.map(({ id, agent, severity, text, lastAt, count, acknowledged }) => (
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
            <button class="btn" onClick={() => void see(id)}>
              {texts.acknowledge}
            </button>
          )}
        </li>
      ))}
    </ol>
  );
}
