import type { SeqRange } from '../../core/entry.ts';
import { Channel } from '../../protocol/channel.ts';
import type { Line } from '../../protocol/line.ts';
import { agentMessage, type AgentMessage, type ServerMessage } from '../../protocol/messages.ts';
import { AgentSession, type SessionPorts } from './agent-session.ts';
import { Greeting, type GreetingOptions, type ServerIdentity } from './greeting.ts';

export interface GatewayPorts extends Omit<SessionPorts, 'onGreeting' | 'onLive' | 'uncommitted'> {
  readonly identity: ServerIdentity;
  onConnected(session: AgentSession): void;
  onDisconnected(session: AgentSession): void;
  /** A connection that ended with somebody's fault. Its `agentId` is empty if it never said who it is. */
  onFault(session: AgentSession, error: Error): void;
}

/** Where a line came from, and what is known of its other end. */
export interface Arrival extends Omit<GreetingOptions, 'channelBinding'> {
  readonly address: string;
  /** The other end has begun to prove who it is. */
  readonly onHello?: () => void;
  /** The other end has proved who it is. */
  readonly onTrusted?: () => void;
}

/** How long a stranger may say nothing. */
const helloLimitMs = 3000;
/** How long the whole greeting may take: the store is asked in it. */
const greetingLimitMs = 10_000;
/** How much a stranger may say: a hello is about 1 KiB. */
export const strangerBytes = 16 * 1024;

/** Where agents' connections arrive, whichever side dialled. One session per agent: a newer one replaces the older. */
export class Gateway {
  readonly #ports: GatewayPorts;
  readonly #sessions = new Map<string, AgentSession>();
  readonly #channels = new Set<Channel<AgentMessage, ServerMessage>>();
  readonly #uncommitted = { bytes: 0 };

  constructor(ports: GatewayPorts) {
    this.#ports = ports;
  }

  /** Makes a session of an open line. Resolves when it has ended, with what went wrong. */
  adopt(line: Line, { address, onHello, onTrusted, pairing, expectedName }: Arrival): Promise<Error | undefined> {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    const cancelHello = this.#ports.clock.after(helloLimitMs, () => channel.terminate());
    const cancelGreeting = this.#ports.clock.after(greetingLimitMs, () => channel.terminate());
    const channel: Channel<AgentMessage, ServerMessage> = new Channel({
      line,
      incoming: agentMessage,
      clock: this.#ports.clock,
      events: {
        onMessage: (message, bytes) => session.receive(message, bytes),
        onClose: (error) => {
          cancelHello();
          cancelGreeting();
          this.#channels.delete(channel);
          session.close();
          this.#forget(session);
          if (error) this.#ports.onFault(session, error);
          resolve(error);
        },
      },
    });
    this.#channels.add(channel);
    const onGreeting = (): void => {
      cancelHello();
      onHello?.();
    };
    const onLive = (): void => {
      cancelGreeting();
      onTrusted?.();
      this.#keep(session);
    };
    const { channelBinding } = line;
    const greeting = new Greeting(this.#ports.identity, { channelBinding, pairing, expectedName });
    const session = new AgentSession(
      {
        ...this.#ports,
        received: (...of) => this.#received(...of),
        onGreeting,
        onLive,
        uncommitted: this.#uncommitted,
      },
      { channel, address, greeting },
    );
    return promise;
  }

  session(agentId: string): AgentSession | undefined {
    return this.#sessions.get(agentId);
  }

  /** Ends every connection. */
  close(): void {
    for (const channel of this.#channels) channel.terminate();
  }

  /**
   * What the agent's older connection handed over counts as received, and it hands over nothing more: else numbers of a copy of
   * the agent's folder could come in after the answer.
   */
  async #received(agentId: string, epoch: string): Promise<readonly SeqRange[]> {
    const older = this.#sessions.get(agentId);
    older?.end('replaced', 'this agent has opened a newer connection');
    await older?.settled();
    return await this.#ports.received(agentId, epoch);
  }

  #keep(session: AgentSession): void {
    this.#sessions.get(session.agentId)?.end('replaced', 'this agent has opened a newer connection');
    this.#sessions.set(session.agentId, session);
    this.#ports.onConnected(session);
  }

  #forget(session: AgentSession): void {
    if (this.#sessions.get(session.agentId) !== session) return;
    this.#sessions.delete(session.agentId);
    this.#ports.onDisconnected(session);
  }
}
