import { model, type Agent, type Status } from '../model.ts';
import { StatusMark } from '../parts/status.tsx';
import { ageText, numberIn, texts } from '../texts.ts';

const marks: Readonly<Record<string, Status>> = { online: 'up', impaired: 'degraded', revoked: 'down' };

/** Where it is watched from. */
export function Agents() {
  const agents = model.value?.agents ?? [];
  const away = agents.filter(({ status }) => status !== 'online').length;
  return (
    <>
      <header class="top">
        <h1>{texts.agents}</h1>
        <span class="sub">{texts.agentsAre(agents.length, away)}</span>
      </header>
      {agents.length === 0 ? (
        <p>
          {texts.noAgents} {texts.noAgentsHint} <code>watchkeeper invite</code>
        </p>
      ) : (
        <div class="card scroll" role="region" tabIndex={0} aria-label={texts.agents}>
          <table>
            <thead>
              <tr>
                <th>{texts.agent}</th>
                <th />
                <th class="num">{texts.tasks}</th>
                <th class="num">{texts.waiting}</th>
                <th class="num">{texts.lag}</th>
                <th class="num">{texts.clock}</th>
                <th>{texts.version}</th>
              </tr>
            </thead>
            <tbody>
              {agents.map((agent) => (
                <Row key={agent.id} agent={agent} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ agent }: { readonly agent: Agent }) {
  const { status, impaired, queue } = agent;
  const why = impaired.length > 0 ? `: ${impaired.join('; ')}` : '';
  return (
    <tr>
      <td>
        <b>{agent.name}</b> <small>{agent.address}</small>
      </td>
      <td>
        <StatusMark status={marks[status] ?? 'unknown'} word={`${texts.agentStatus[status] ?? status}${why}`} />{' '}
        <small>{ageText(Date.now() - Date.parse(agent.since))}</small>
      </td>
      <td class="num">{agent.tasks}</td>
      <td class="num">{queue?.depth ?? '?'}</td>
      <td class="num">{milliseconds(agent.lagMs)}</td>
      <td class="num">{milliseconds(agent.clockOffsetMs)}</td>
      <td>{agent.version}</td>
    </tr>
  );
}

function milliseconds(value: number): string {
  return numberIn(Math.round(value), { style: 'unit', unit: 'millisecond' });
}
