import type { IncidentAccount } from './incident-record.ts';
import type { MonitorRecord } from './monitor-record.ts';
import { reasonWords } from './reason-words.ts';

/** Voices that are told in full. */
const maxVoices = 5;

/** What the voices that see a failure say, for people. */
export function accountOf({ policy, voices }: MonitorRecord, nameOf: (agentId: string) => string): IncidentAccount {
  const rows = [...voices.values()].map(({ row }) => row);
  const failing = rows.filter(({ voice }) => voice.state === 'down' || voice.state === 'degraded');
  const [first] = failing;
  const reason = first?.reason;
  const upsideDown = policy.isUpsideDown ? 'it answers, and should not' : undefined;
  const places = `from ${failing.length} of ${policy.agents.length} places`;
  const facts = failing
    .slice(0, maxVoices)
    .map(({ agentId, message = '' }) => ({ label: `Seen from ${nameOf(agentId)}`, text: message }));
  return {
    summary: upsideDown ?? (reason === undefined ? 'failing' : reasonWords[reason]),
    ...(policy.agents.length > 1 && { scope: places }),
    target: policy.target,
    facts,
    causes: policy.causes,
  };
}
