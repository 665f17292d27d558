import { WebSocket } from 'ws';
import type { Cancel, Clock } from '../core/clock.ts';
import { formatEndpoint, isLoopback } from '../core/target.ts';
import { channelBindingOf } from '../protocol/channel.ts';
import { maxFrameBytes } from '../protocol/frames.ts';
import { parseJoinToken, type JoinToken } from '../protocol/join-token.ts';
import { agentPath } from '../protocol/messages.ts';
import type { Line } from './gateway/gateway.ts';

/** An agent that listens, and where. */
export interface CalledAgent {
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number };
  readonly token?: string | undefined;
}

interface CallParts {
  readonly clock: Clock;
  /** 0 ≤ n < 1, for the jitter between calls. */
  readonly random: () => number;
  /** Speaks with the agent on an open line; resolves when it has ended. */
  readonly adopt: (socket: WebSocket, line: Line) => Promise<void>;
  /** Told when an agent that could be reached no longer can, or never could. */
  readonly onUnreachable: (agent: CalledAgent, why: string) => void;
}

const retrySpreadMs = 5000;
const connectLimitMs = 10_000;

/** Calls the agents that listen, and calls again whenever a line ends. */
export class AgentCalls {
  readonly #parts: CallParts;
  readonly #sockets = new Set<WebSocket>();
  readonly #cancels = new Set<Cancel>();
  readonly #unreachable = new Set<CalledAgent>();
  #isStopped = false;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  call(agent: CalledAgent): void {
    if (this.#isStopped) return;
    const { host } = agent.address;
    const address = formatEndpoint(agent.address);
    const pairing = agent.token === undefined ? undefined : parseJoinToken(agent.token);
    // The certificate is not what proves the agent: its signature over this very connection is.
    const socket = new WebSocket(`${isLoopback(host) ? 'ws' : 'wss'}://${address}${agentPath}`, {
      rejectUnauthorized: false,
      handshakeTimeout: connectLimitMs,
      maxPayload: maxFrameBytes,
      perMessageDeflate: false,
    });
    this.#sockets.add(socket);
    let why = 'it closed the line';
    socket.once('error', (error) => (why = error.message));
    socket.once('open', () => void this.#speak(agent, socket, pairing));
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#callAgain(agent, why);
    });
  }

  stop(): void {
    this.#isStopped = true;
    for (const cancel of this.#cancels) cancel();
    for (const socket of this.#sockets) socket.terminate();
  }

  async #speak(agent: CalledAgent, socket: WebSocket, pairing: JoinToken | undefined): Promise<void> {
    this.#unreachable.delete(agent);
    await this.#parts.adopt(socket, {
      address: formatEndpoint(agent.address),
      channelBinding: channelBindingOf(socket),
      pairing,
    });
  }

  #callAgain(agent: CalledAgent, why: string): void {
    if (this.#isStopped) return;
    if (!this.#unreachable.has(agent)) this.#parts.onUnreachable(agent, why);
    this.#unreachable.add(agent);
    const cancel = this.#parts.clock.after(this.#parts.random() * retrySpreadMs, () => {
      this.#cancels.delete(cancel);
      this.call(agent);
    });
    this.#cancels.add(cancel);
  }
}
