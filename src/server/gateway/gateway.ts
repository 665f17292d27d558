import { Channel } from '../../protocol/channel.ts';
import type { Line } from '../../protocol/line.ts';
import { agentMessage, type AgentMessage, type ServerMessage } from '../../protocol/messages.ts';
import { AgentSession, type SessionPorts } from './agent-session.ts';
import { Greeting, type GreetingOptions, type ServerIdentity } from './greeting.ts';
import { Strangers } from './strangers.ts';

export interface GatewayPorts extends Omit<SessionPorts, 'onLive' | 'uncommitted'> {
  readonly identity: ServerIdentity;
  onConnected(session: AgentSession): void;
  onDisconnected(session: AgentSession): void;
  /** A connection that ended with somebody's fault. Its `agentId` is empty if it never said who it is. */
  onFault(session: AgentSession, error: Error): void;
}

/** Where a line came from, and what is known of its other end. */
export interface Arrival extends Omit<GreetingOptions, 'channelBinding'> {
  readonly address: string;
  /** The other end has proved who it is, or the connection has ended. */
  readonly onSettled?: () => void;
}

/** So long a stranger may take to say who it is, and so much it may say until then: a hello is about 1 KiB. */
const greetingLimitMs = 10_000;
const greetingLimitBytes = 16 * 1024;

/** Where agents' connections arrive, whichever side dialled. One session per agent: a newer one replaces the older. */
export class Gateway {
  readonly #ports: GatewayPorts;
  readonly #sessions = new Map<string, AgentSession>();
  readonly #channels = new Set<Channel<AgentMessage, ServerMessage>>();
  readonly #strangers = new Strangers();
  readonly #uncommitted = { bytes: 0 };

  constructor(ports: GatewayPorts) {
    this.#ports = ports;
  }

  /** Whether a caller from this address may open a line, and what it may send until it has said who it is. */
  admit(address: string): { readonly limitBytes: number; readonly onSettled: () => void } | undefined {
    if (!this.#strangers.hasRoomFor(address)) return undefined;
    return { limitBytes: greetingLimitBytes, onSettled: this.#strangers.enter(address) };
  }

  /** Makes a session of an open line. Resolves when it has ended, with what went wrong. */
  adopt(line: Line, { address, onSettled = () => {}, pairing }: Arrival): Promise<Error | undefined> {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    const cancelGreeting = this.#ports.clock.after(greetingLimitMs, () => channel.terminate());
    const settle = (): void => {
      cancelGreeting();
      onSettled();
    };
    const channel: Channel<AgentMessage, ServerMessage> = new Channel({
      line,
      incoming: agentMessage,
      clock: this.#ports.clock,
      events: {
        onMessage: (message, bytes) => session.receive(message, bytes),
        onClose: (error) => {
          settle();
          this.#channels.delete(channel);
          this.#forget(session);
          if (error) this.#ports.onFault(session, error);
          resolve(error);
        },
      },
    });
    this.#channels.add(channel);
    const onLive = (): void => {
      settle();
      this.#keep(session);
    };
    const greeting = new Greeting(this.#ports.identity, { channelBinding: line.channelBinding, pairing });
    const session = new AgentSession(
      { ...this.#ports, onLive, uncommitted: this.#uncommitted },
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
