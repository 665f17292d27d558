import type { MessageKind } from '../message.ts';
import type { Status } from '../outcome.ts';
import type { EndReason, Incident } from './incident.ts';

/** What a recipient was last told of an incident. */
export type ToldState = Status | 'closed';

/** What is so now and could be told. */
export interface Standing {
  readonly state: ToldState;
  readonly isEscalation: boolean;
}

export function standingOf({
  state,
  endedAt,
  endReason,
}: Pick<Incident, 'state' | 'endedAt' | 'endReason'>): ToldState {
  if (endedAt === undefined) return state;
  return isRecovery(endReason) ? 'up' : 'closed';
}

function isRecovery(reason: EndReason | undefined): boolean {
  return reason === 'recovered';
}

/**
 * The message that brings a recipient from what was last told to what is so now; undefined if there is none to send. It depends
 * on nothing else, so that whatever happened meanwhile is settled by one message at most.
 */
export function settlementOf(told: ToldState | undefined, now: Standing): MessageKind | undefined {
  if (told === now.state) return undefined;
  const knowsOfIt = told !== undefined && told !== 'up' && told !== 'closed';
  if (now.state === 'up') return knowsOfIt ? 'recovery' : undefined;
  if (now.state === 'closed') return knowsOfIt ? 'closed' : undefined;
  if (now.state === 'unknown') return knowsOfIt ? 'update' : undefined;
  if (knowsOfIt) return 'update';
  return now.isEscalation ? 'escalation' : 'problem';
}
