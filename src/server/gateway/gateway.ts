import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { Channel, channelBinding, refuseUpgrade, socketOptions } from '../../protocol/channel.ts';
import { agentMessage, agentPath, type AgentMessage, type ServerMessage } from '../../protocol/messages.ts';
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

/** A connection whose other end says it is an agent. */
export interface Line extends GreetingOptions {
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
  readonly #acceptor = new WebSocketServer({ noServer: true, ...socketOptions });
  readonly #sessions = new Map<string, AgentSession>();
  readonly #channels = new Set<Channel<AgentMessage, ServerMessage>>();
  readonly #strangers = new Strangers();
  readonly #uncommitted = { bytes: 0 };

  constructor(ports: GatewayPorts) {
    this.#ports = ports;
  }

  /** Takes the agents' connections from this server's upgrades. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  /** Makes a session of an open WebSocket. Resolves when it has ended, with what went wrong. */
  adopt(socket: WebSocket, { address, onSettled = () => {}, ...greetingOptions }: Line): Promise<Error | undefined> {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    const cancelGreeting = this.#ports.clock.after(greetingLimitMs, () => channel.terminate());
    const settle = (): void => {
      cancelGreeting();
      onSettled();
    };
    const channel: Channel<AgentMessage, ServerMessage> = new Channel({
      socket,
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
    const session = new AgentSession(
      { ...this.#ports, onLive, uncommitted: this.#uncommitted },
      { channel, address, greeting: new Greeting(this.#ports.identity, greetingOptions) },
    );
    return promise;
  }

  session(agentId: string): AgentSession | undefined {
    return this.#sessions.get(agentId);
  }

  /** Ends every connection. */
  close(): void {
    for (const channel of this.#channels) channel.terminate();
    this.#acceptor.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = request.socket.remoteAddress ?? 'unknown';
    // Nobody else listens for it from here on, and an error that nobody listens for would end the server.
    socket.on('error', () => socket.destroy());
    if (request.url !== agentPath) return refuseUpgrade(socket, '404 Not Found');
    if (!this.#strangers.hasRoomFor(address)) return refuseUpgrade(socket, '503 Service Unavailable');
    this.#acceptor.handleUpgrade(request, socket, head, (webSocket) => {
      const leave = this.#strangers.enter(address);
      const stopCounting = limitBytes(socket, greetingLimitBytes);
      const onSettled = (): void => {
        leave();
        stopCounting();
      };
      void this.adopt(webSocket, { address, channelBinding: channelBinding(request.socket), onSettled });
    });
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

/** Destroys the socket when it has received more, until what is returned is called. */
function limitBytes(socket: Duplex, limit: number): () => void {
  let received = 0;
  const count = (chunk: Buffer): void => {
    received += chunk.length;
    if (received > limit) socket.destroy();
  };
  socket.on('data', count);
  return () => socket.off('data', count);
}
