import type { Clock } from '../../core/clock.ts';
import { ProtocolError } from '../../protocol/frames.ts';
import type { FaultCode, Health } from '../host/health.ts';
import type { AgentSession } from './agent-session.ts';
import { FaultLog } from './fault-log.ts';

interface FaultParts {
  readonly clock: Clock;
  readonly health: Pick<Health, 'noteCrowded' | 'noteFault' | 'noteRefused'>;
  /** A line for the operator. */
  readonly say: (text: string) => void;
}

const cloneAdvice =
  'If this is said again, two processes use copies of one agent folder: revoke the agent and let one of them join anew.';

/** Counts what goes wrong on the connections of agents, and tells the operator. */
export class ConnectionFaults {
  readonly #health: FaultParts['health'];
  readonly #log: FaultLog;

  constructor({ clock, health, say }: FaultParts) {
    this.#health = health;
    this.#log = new FaultLog({ clock, say, event: 'agent-fault' });
  }

  /** A connection ended with a fault. */
  ended({ agentId, name, address }: Pick<AgentSession, 'agentId' | 'name' | 'address'>, error: Error): void {
    const code: FaultCode = error instanceof ProtocolError ? error.code : 'connection';
    this.#health.noteFault(code);
    const who = agentId === '' ? address : `agent ${name} at ${address}`;
    const next = code === 'replaced' ? `. ${cloneAdvice}` : '';
    // A stranger's words are not for our log: anybody could write there what operators believe.
    const isStrangers = agentId === '' && error instanceof ProtocolError && error.quotesOther;
    const why = isStrangers ? `it does not speak as an agent does (${code})` : error.message;
    this.#log.tell(`${agentId || address} ${code}`, `The connection from ${who} ended: ${why}${next}`);
  }

  /** Entries of an agent were not kept. */
  refused({ agentId, name }: Pick<AgentSession, 'agentId' | 'name'>, count: number, why: string): void {
    this.#health.noteRefused(count);
    this.#log.tell(`${agentId} refused`, `Agent ${name} sent ${count} entries that were not kept: ${why}.`);
  }

  /** An agent sent more than is kept of it at once. */
  heldBack({ agentId, name }: Pick<AgentSession, 'agentId' | 'name'>): void {
    const next = 'its results come later; if it was not away for long, look what it does';
    this.#log.tell(
      `${agentId} held back`,
      `Agent ${name} sends far more than its tasks make and is read slowly: ${next}.`,
    );
  }

  /** There was no room for a connection from this address, or another was closed to make room for it. */
  crowded(address: string): void {
    this.#health.noteCrowded();
    const next = 'the oldest without a token is closed for each new one; agents and people with a token keep theirs';
    this.#log.tell('crowded', `There is no room for more connections, the last from ${address}: ${next}.`);
  }
}
