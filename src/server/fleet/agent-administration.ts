import { createJoinToken, formatJoinToken, storedToken } from '../../protocol/join-token.ts';
import { keyPin } from '../../protocol/identity.ts';
import type { AgentGate } from '../auth/agent-gate.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { SensorOrders } from './sensor-orders.ts';

interface AdministrationParts {
  readonly clock: { now(): number };
  readonly tokens: { createJoinToken(token: StoredInvitation): Promise<void> };
  /** The server's public key, which a join token pins. */
  readonly serverKey: string;
  readonly gate: Pick<AgentGate, 'remove' | 'rename' | 'revoke'>;
  readonly gateway: Pick<Gateway, 'session'>;
  readonly dispatcher: Pick<Dispatcher, 'refresh'>;
  readonly sensorOrders: Pick<SensorOrders, 'refresh'>;
}

interface StoredInvitation extends ReturnType<typeof storedToken> {
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly numbersNames: boolean;
}

export interface Invitation {
  readonly lifetimeMs: number;
  /** An agent whose name is taken gets a number behind it, instead of being refused. */
  readonly numbersNames?: boolean;
}

/** What an administrator does with agents. */
export class AgentAdministration {
  readonly #parts: AdministrationParts;

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
  }

  /** Makes a one-use token for one agent; its secret is not stored. */
  async invite({
    lifetimeMs,
    numbersNames = false,
  }: Invitation): Promise<{ readonly token: string; readonly expiresAt: number }> {
    const { clock, tokens, serverKey } = this.#parts;
    const token = createJoinToken(keyPin(serverKey));
    const createdAt = clock.now();
    const expiresAt = createdAt + lifetimeMs;
    await tokens.createJoinToken({ ...storedToken(token.secret), createdAt, expiresAt, numbersNames });
    return { token: formatJoinToken(token), expiresAt };
  }

  /** Refuses an agent's key from now on and ends its connection. False if there is no such agent, or it is revoked already. */
  async revoke(agentId: string): Promise<boolean> {
    const { gate, gateway } = this.#parts;
    const isRevoked = gate.revoke(agentId);
    gateway.session(agentId)?.end('revoked', 'this agent was revoked');
    return await isRevoked;
  }

  /** Revokes an agent and no longer lists it; what it reported stays until retention drops it. False if it is removed already. */
  async remove(agentId: string): Promise<boolean> {
    const { gate, gateway } = this.#parts;
    const isRemoved = gate.remove(agentId);
    gateway.session(agentId)?.end('revoked', 'this agent was removed');
    return await isRemoved;
  }

  /** Gives an agent another name; its tasks and sensor orders follow. @throws {AppError} usage, conflict, not-found */
  async rename(agentId: string, name: string): Promise<void> {
    const { gate, gateway, dispatcher, sensorOrders } = this.#parts;
    await gate.rename(agentId, name);
    gateway.session(agentId)?.rename(name);
    sensorOrders.refresh();
    await dispatcher.refresh(agentId);
  }
}
