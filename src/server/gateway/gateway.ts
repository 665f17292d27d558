import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { Channel, channelBinding } from '../../protocol/channel.ts';
import { maxFrameBytes } from '../../protocol/frames.ts';
import { agentMessage, agentPath, type AgentMessage, type ServerMessage } from '../../protocol/messages.ts';
import { AgentSession, type SessionPorts } from './agent-session.ts';
import { Greeting, type GreetingOptions, type ServerIdentity } from './greeting.ts';

export interface GatewayPorts extends Omit<SessionPorts, 'onLive'> {
  readonly identity: ServerIdentity;
  onConnected(session: AgentSession): void;
  onDisconnected(session: AgentSession): void;
  /** A connection that ended with somebody's fault: counted by code, logged once a connection. */
  onFault(address: string, error: Error): void;
}

/** A connection whose other end says it is an agent. */
export interface Line extends GreetingOptions {
  readonly address: string;
}

/** So long a stranger may take to say who it is. */
const greetingLimitMs = 10_000;
/** Connections that have not greeted yet; more are refused, so that strangers cannot use up the server's sockets. */
const maxStrangers = 1000;

/** Where agents' connections arrive, whichever side dialled. One session per agent: a newer one replaces the older. */
export class Gateway {
  readonly #ports: GatewayPorts;
  readonly #acceptor = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, perMessageDeflate: false });
  readonly #sessions = new Map<string, AgentSession>();
  readonly #channels = new Set<Channel<AgentMessage, ServerMessage>>();
  #strangers = 0;

  constructor(ports: GatewayPorts) {
    this.#ports = ports;
  }

  /** Takes the agents' connections from this server's upgrades. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (new URL(request.url ?? '/', 'http://agent').pathname !== agentPath || this.#strangers >= maxStrangers) {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      this.#acceptor.handleUpgrade(request, socket, head, (webSocket) => {
        void this.adopt(webSocket, {
          address: request.socket.remoteAddress ?? 'unknown',
          channelBinding: channelBinding(request.socket),
        });
      });
    });
  }

  /** Makes a session of an open WebSocket. Resolves when it has ended. */
  adopt(socket: WebSocket, { address, ...greetingOptions }: Line): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#strangers++;
    let isStranger = true;
    const settle = (): void => {
      if (isStranger) this.#strangers--;
      isStranger = false;
    };
    const cancelGreeting = this.#ports.clock.after(greetingLimitMs, () => isStranger && channel.terminate());
    const channel: Channel<AgentMessage, ServerMessage> = new Channel({
      socket,
      incoming: agentMessage,
      clock: this.#ports.clock,
      events: {
        onMessage: (message) => session.receive(message),
        onClose: (error) => {
          settle();
          cancelGreeting();
          this.#channels.delete(channel);
          this.#forget(session);
          if (error) this.#ports.onFault(address, error);
          resolve();
        },
      },
    });
    this.#channels.add(channel);
    const onLive = (): void => {
      settle();
      this.#keep(session);
    };
    const session = new AgentSession(
      { ...this.#ports, onLive },
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
