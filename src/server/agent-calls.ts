import { WebSocket } from 'ws';
import type { Cancel, Clock } from '../core/clock.ts';
import { formatEndpoint, isLoopback } from '../core/target.ts';
import { channelBindingOf, socketOptions } from '../protocol/channel.ts';
import { ProtocolError } from '../protocol/frames.ts';
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
  /** Speaks with the agent on an open line; resolves when it has ended, with what went wrong. */
  readonly adopt: (socket: WebSocket, line: Line) => Promise<Error | undefined>;
  /** Told when an agent that could be reached no longer can, or never could. */
  readonly onUnreachable: (agent: CalledAgent, why: string) => void;
}

const retrySpreadMs = 5000;
const refusedDelayMs = 30_000;
/** TCP asks again after 1, 2, 4 … seconds: beyond this its pauses are longer than ours. */
const connectLimitMs = 5000;

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
      ...socketOptions,
    });
    this.#sockets.add(socket);
    let failure: Error | undefined;
    let isOpened = false;
    socket.once('error', (error) => (failure = error));
    const calledMs = this.#parts.clock.monotonic();
    socket.once('open', () => {
      isOpened = true;
      void this.#speak(agent, socket, pairing).then((error) => this.#callAgain(agent, error));
    });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (!isOpened) this.#callAgain(agent, failure, this.#parts.clock.monotonic() - calledMs);
    });
  }

  stop(): void {
    this.#isStopped = true;
    for (const cancel of this.#cancels) cancel();
    for (const socket of this.#sockets) socket.terminate();
  }

  #speak(agent: CalledAgent, socket: WebSocket, pairing: JoinToken | undefined): Promise<Error | undefined> {
    this.#unreachable.delete(agent);
    return this.#parts.adopt(socket, {
      address: formatEndpoint(agent.address),
      channelBinding: channelBindingOf(socket),
      pairing,
    });
  }

  /** `waitedMs` went by in vain already, and counts. */
  #callAgain(agent: CalledAgent, error: Error | undefined, waitedMs = 0): void {
    if (this.#isStopped) return;
    if (!this.#unreachable.has(agent)) this.#parts.onUnreachable(agent, error?.message ?? 'it closed the line');
    this.#unreachable.add(agent);
    // What the protocol refuses a person must mend; only the agent's own trouble passes by itself.
    const isRefused = error instanceof ProtocolError && error.code !== 'unavailable';
    const spreadMs = isRefused ? refusedDelayMs : retrySpreadMs;
    const delayMs = Math.max(0, this.#parts.random() * spreadMs - waitedMs);
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      this.call(agent);
    });
    this.#cancels.add(cancel);
  }
}
