import type { Clock } from '../../core/clock.ts';
import { ProtocolError } from '../../protocol/frames.ts';
import type { Claim, Gatekeeper } from '../gateway/greeting.ts';

export interface KnownAgent {
  readonly id: string;
  readonly name: string;
  readonly publicKey: string;
  readonly joinedAt: number;
  readonly revokedAt?: number;
}

interface TokenUse {
  readonly id: string;
  readonly at: number;
}

type TokenFault = keyof typeof sentence;

/** What the gate needs of the store. */
export interface GateRecords {
  agents(): Promise<readonly KnownAgent[]>;
  saveAgent(agent: KnownAgent): Promise<void>;
  revokeAgent(agentId: string, at: number): Promise<boolean>;
  /** The key of a token, to check a proof with; undefined if there is no such token. */
  joinTokenKey(tokenId: string): Promise<string | undefined>;
  /** Adds the agent, or brings it back, and uses its token up: both or neither. */
  joinAgent(agent: KnownAgent, token?: TokenUse): Promise<'accepted' | 'taken' | TokenFault>;
}

interface GateParts {
  readonly clock: Clock;
  readonly records: GateRecords;
  /** An agent has joined, or goes by another name now. */
  readonly onKnown: (agent: KnownAgent) => void;
}

/** Who may be an agent of this server: keys that joined with a token and are not revoked. */
export class AgentGate implements Gatekeeper {
  readonly #parts: GateParts;
  readonly #agents = new Map<string, KnownAgent>();

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  async load(): Promise<void> {
    for (const agent of await this.#parts.records.agents()) this.#know(agent);
  }

  agents(): readonly KnownAgent[] {
    return [...this.#agents.values()];
  }

  async admit(claim: Claim): Promise<void> {
    const known = this.#agents.get(claim.agentId);
    if (known && known.publicKey !== claim.publicKey) throw taken(known.id);
    if (known && known.revokedAt === undefined) return await this.#rename(known, claim.name);
    if (known && claim.tokenId === undefined) throw revoked(known);
    const token = known || !claim.isExpected ? await this.#provedToken(claim) : undefined;
    const { agentId: id, name, publicKey } = claim;
    await this.#join({ id, name, publicKey, joinedAt: known?.joinedAt ?? this.#parts.clock.now() }, token);
  }

  confirm(agentId: string): void {
    const known = this.#agents.get(agentId);
    if (known?.revokedAt !== undefined) throw revoked(known);
  }

  /** False if there is no such agent, or it is revoked already. */
  async revoke(agentId: string): Promise<boolean> {
    const known = this.#agents.get(agentId);
    const at = this.#parts.clock.now();
    // Its voice ends now, whatever the disk says.
    if (known) this.#know({ ...known, revokedAt: at });
    return await this.#parts.records.revokeAgent(agentId, at);
  }

  async #join(agent: KnownAgent, token: TokenUse | undefined): Promise<void> {
    const verdict = await this.#parts.records.joinAgent(agent, token);
    if (verdict === 'taken') throw taken(agent.id);
    if (verdict !== 'accepted') throw badToken(verdict);
    this.#know(agent);
  }

  /** Proved before it is used up, so that whoever only heard of a token cannot spend it. */
  async #provedToken(claim: Claim): Promise<TokenUse> {
    const { agentId, tokenId } = claim;
    if (tokenId === undefined) {
      throw new ProtocolError(
        'unknown-agent',
        `agent ${agentId} has not joined this server; 'watchkeeper invite' makes the token for it`,
      );
    }
    const key = await this.#parts.records.joinTokenKey(tokenId);
    if (key === undefined || !claim.provesToken(key)) throw badToken('unknown');
    return { id: tokenId, at: this.#parts.clock.now() };
  }

  /** Known at once: what is waited for must not undo what is decided meanwhile, a revocation above all. */
  async #rename(known: KnownAgent, name: string): Promise<void> {
    if (known.name === name) return;
    this.#know({ ...known, name });
    await this.#parts.records.saveAgent({ ...known, name });
  }

  #know(agent: KnownAgent): void {
    this.#agents.set(agent.id, agent);
    this.#parts.onKnown(agent);
  }
}

function revoked({ name }: KnownAgent): ProtocolError {
  return new ProtocolError('revoked', `agent ${name} was revoked; a new join token brings it back`);
}

function taken(agentId: string): ProtocolError {
  return new ProtocolError('unknown-agent', `agent ${agentId} is known here with another key`);
}

const sentence = { unknown: 'not known here', expired: 'too old', used: 'used up' } as const;

function badToken(fault: TokenFault): ProtocolError {
  return new ProtocolError('bad-token', `the join token is ${sentence[fault]}; 'watchkeeper invite' makes a new one`);
}
