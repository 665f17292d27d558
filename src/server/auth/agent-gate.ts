import type { Clock } from '../../core/clock.ts';
import { ProtocolError } from '../../protocol/frames.ts';
import type { Claim, Gatekeeper } from '../gateway/greeting.ts';
import { AppError } from '../../core/errors.ts';
import { quoted } from '../../core/quoted.ts';
import { isSameName, numberedName, unseenMistake } from '../../core/names.ts';

export interface KnownAgent {
  readonly id: string;
  readonly name: string;
  readonly publicKey: string;
  readonly joinedAt: number;
  readonly revokedAt?: number;
  /** It is no longer listed. */
  readonly removedAt?: number;
}

interface TokenUse {
  readonly id: string;
  readonly at: number;
}

type TokenFault = keyof typeof sentence;

export interface KnownToken {
  /** What a proof is checked with. */
  readonly key: string;
  /** An agent whose name is taken gets a number behind it, instead of being refused. */
  readonly numbersNames: boolean;
}

interface ProvedToken {
  readonly use: TokenUse;
  readonly numbersNames: boolean;
}

/** What the gate needs of the store. */
export interface GateRecords {
  agents(): Promise<readonly KnownAgent[]>;
  saveAgent(agent: KnownAgent): Promise<void>;
  revokeAgent(agentId: string, at: number): Promise<boolean>;
  /** Revokes it, and forgets it once nothing of it is kept. False if there is no such agent, or it is removed already. */
  removeAgent(agentId: string, at: number): Promise<boolean>;
  /** Undefined if there is no such token. */
  joinToken(tokenId: string): Promise<KnownToken | undefined>;
  /** Adds the agent, or brings it back, and uses its token up: both or neither. */
  joinAgent(agent: KnownAgent, token?: TokenUse): Promise<'accepted' | 'taken' | TokenFault>;
}

interface GateParts {
  readonly clock: Clock;
  readonly records: GateRecords;
  /** An agent has joined, or goes by another name now. */
  readonly onKnown: (agent: KnownAgent) => void;
  /** A line for the operator. */
  readonly say: (text: string) => void;
}

/** Who may be an agent of this server: keys that joined with a token and are not revoked. */
export class AgentGate implements Gatekeeper {
  readonly #parts: GateParts;
  readonly #agents = new Map<string, KnownAgent>();
  /** Names of agents whose join is being written, and their ids. */
  readonly #joining = new Map<string, string>();

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  async load(): Promise<void> {
    for (const agent of await this.#parts.records.agents()) await this.#load(agent);
  }

  agents(): readonly KnownAgent[] {
    return [...this.#agents.values()];
  }

  /** The name comes from the server's administrator, or from the first join: what an agent calls itself later changes nothing. */
  async admit(claim: Claim): Promise<string> {
    const known = this.#agents.get(claim.agentId);
    if (known && known.publicKey !== claim.publicKey) throw taken(known.id);
    if (known && known.revokedAt === undefined) return await this.#named(known, claim.expectedName);
    if (known && claim.tokenId === undefined) throw revoked(known);
    const token = known || !claim.isExpected ? await this.#provedToken(claim) : undefined;
    return await this.#join(claim, { joinedAt: known?.joinedAt ?? this.#parts.clock.now(), token });
  }

  /** @throws {AppError} usage, when it is no name; conflict, when it is taken; not-found */
  async rename(agentId: string, name: string): Promise<void> {
    const known = this.#agents.get(agentId);
    if (!known) throw new AppError('not-found', `there is no agent ${agentId}`);
    const mistake = nameMistake(name);
    if (mistake !== undefined) throw new AppError('usage', `${mistake}: ${quoted(name)}`);
    if (this.#isTaken(name, agentId))
      throw new AppError('conflict', `there is an agent ${JSON.stringify(name)} already, or one that looks like it`);
    // Known at once: what is waited for must not undo what is decided meanwhile, a revocation above all.
    this.#know({ ...known, name });
    await this.#parts.records.saveAgent({ ...known, name });
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

  /** Refuses the agent's key from now on, and no longer lists it. False if there is no such agent, or it is removed already. */
  async remove(agentId: string): Promise<boolean> {
    const known = this.#agents.get(agentId);
    const at = this.#parts.clock.now();
    if (known) this.#know({ ...known, revokedAt: known.revokedAt ?? at, removedAt: at });
    return await this.#parts.records.removeAgent(agentId, at);
  }

  /** Nothing of these agents is kept any more: their keys are as unknown as any other. */
  forget(agentIds: readonly string[]): void {
    for (const agentId of agentIds) this.#agents.delete(agentId);
  }

  async #join(
    claim: Claim,
    { joinedAt, token }: { readonly joinedAt: number; readonly token: ProvedToken | undefined },
  ): Promise<string> {
    const { agentId: id, publicKey } = claim;
    const name = this.#nameFor(claim, token?.numbersNames ?? false);
    const agent = { id, name, publicKey, joinedAt };
    this.#joining.set(name, id);
    try {
      const verdict = await this.#parts.records.joinAgent(agent, token?.use);
      if (verdict === 'taken') throw taken(id);
      if (verdict !== 'accepted') throw badToken(verdict);
      this.#know(agent);
      return name;
    } finally {
      this.#joining.delete(name);
    }
  }

  /** Proved before it is used up, so that whoever only heard of a token cannot spend it. */
  async #provedToken(claim: Claim): Promise<ProvedToken> {
    const { agentId, tokenId } = claim;
    if (tokenId === undefined) {
      throw new ProtocolError(
        'unknown-agent',
        `agent ${agentId} has not joined this server; 'watchkeeper invite' makes the token for it`,
      );
    }
    const token = await this.#parts.records.joinToken(tokenId);
    if (token === undefined || !claim.provesToken(token.key)) throw badToken('unknown');
    return { use: { id: tokenId, at: this.#parts.clock.now() }, numbersNames: token.numbersNames };
  }

  /** Earlier versions let agents share a name. */
  async #load(agent: KnownAgent): Promise<void> {
    const isRevoked = agent.revokedAt !== undefined;
    const name = isRevoked ? agent.name : numberedName(agent.name, (name) => this.#isTaken(name, agent.id));
    this.#know({ ...agent, name });
    if (name === agent.name) return;
    this.#parts.say(`Several agents were called ${agent.name}; agent ${agent.id} is ${name} from now on.`);
    await this.#parts.records.saveAgent({ ...agent, name });
  }

  /** As the configuration calls an agent that this server calls. */
  async #named(known: KnownAgent, name = known.name): Promise<string> {
    if (name === known.name) return name;
    try {
      await this.rename(known.id, name);
      return name;
    } catch (error) {
      if (!(error instanceof AppError) || !['usage', 'conflict'].includes(error.code)) throw error;
      this.#parts.say(`Agent ${known.name} stays ${known.name}: ${error.message}.`);
      return known.name;
    }
  }

  #nameFor({ agentId, name: claimed, expectedName }: Claim, numbersNames: boolean): string {
    const name = expectedName ?? claimed;
    const mistake = nameMistake(name);
    if (mistake !== undefined) throw new ProtocolError('bad-name', mistake);
    const isTaken = (name: string): boolean => this.#isTaken(name, agentId);
    if (numbersNames) return numberedName(name, isTaken);
    if (!isTaken(name)) return name;
    const next = "give this one another with --name, or 'watchkeeper agents rename' the other";
    throw new ProtocolError('bad-name', `there is an agent ${JSON.stringify(name)} already: ${next}`);
  }

  #isTaken(name: string, agentId: string): boolean {
    for (const [joining, id] of this.#joining) if (id !== agentId && isSameName(joining, name)) return true;
    for (const other of this.#agents.values())
      if (other.id !== agentId && other.revokedAt === undefined && isSameName(other.name, name)) return true;
    return false;
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

/** Beyond this a name fits no table. */
const maxNameLength = 100;

/** What is wrong with a name as an agent's; undefined if nothing is. */
function nameMistake(name: string): string | undefined {
  if (name.length > maxNameLength) return `expected a name of at most ${maxNameLength} characters`;
  const unseen = unseenMistake(name);
  if (unseen !== undefined) return unseen;
  return name.trim() === name && name !== '' ? undefined : 'expected a name that neither begins nor ends with a blank';
}
