import type { ServerEvent } from '../../core/event.ts';
import type { Say } from '../../core/say.ts';

type AgentChange = Extract<ServerEvent, { type: 'agent' }>;

/** What a change of an agent's status is called, and how grave it is. A reconnect within seconds is no loss yet. */
const occurrences: Readonly<
  Record<string, { readonly level: 'info' | 'warning'; readonly text: (who: string, before: string) => string }>
> = {
  online: { level: 'info', text: (who, before) => `Agent ${who} is online${before}.` },
  impaired: { level: 'warning', text: (who, before) => `Agent ${who} is impaired${before}: its own test fails.` },
  offline: { level: 'warning', text: (who, before) => `Lost agent ${who}: nothing is heard of it${before}.` },
  revoked: { level: 'warning', text: (who) => `Agent ${who} is revoked.` },
};

/** Tells the operator who has come, who is lost and who is back. */
export function sayAgentChange({ agentId, name, address, status, before }: AgentChange, say: Say): void {
  const occurrence = occurrences[status];
  if (!occurrence) return;
  const who = address === undefined ? name : `${name} (${address})`;
  const was = before === undefined ? '' : ` (was ${before})`;
  const fields = { agentId, agent: name, address: address ?? null, before: before ?? null };
  say(occurrence.text(who, was), { event: `agent-${status}`, level: occurrence.level, fields });
}
