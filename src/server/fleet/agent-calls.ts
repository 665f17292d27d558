import type { Cancel, Clock } from '../../core/clock.ts';
import { formatEndpoint, isLoopback } from '../../core/target.ts';
import { ProtocolError } from '../../protocol/frames.ts';
import { parseJoinToken } from '../../protocol/join-token.ts';
import type { Dialler, Line } from '../../protocol/line.ts';
import { agentPath } from '../../protocol/messages.ts';
import type { Arrival } from '../gateway/gateway.ts';

/** An agent that listens, and where. */
export interface CalledAgent {
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number };
  readonly token?: string | undefined;
}

interface CallParts {
  readonly clock: Clock;
  readonly dialler: Dialler;
  /** 0 ≤ n < 1, for the jitter between calls. */
  readonly random: () => number;
  /** Speaks with the agent on an open line; resolves when it has ended, with what went wrong. */
  readonly adopt: (line: Line, arrival: Arrival) => Promise<Error | undefined>;
  /** Told when an agent that could be reached no longer can, or never could. */
  readonly onUnreachable: (agent: CalledAgent, why: string) => void;
}

const retrySpreadMs = 5000;
const refusedDelayMs = 30_000;
/** TCP asks again after 1, 2, 4 … seconds: beyond this its pauses are longer than ours. */
const connectLimitMs = 5000;

/** The agents that listen and that this server calls. */
export class AgentCalls {
  readonly #parts: CallParts;
  readonly #calls = new Map<string, AgentCall>();

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /** From now on these are called, and no others; the lines of those that stay are left alone. */
  reconcile(agents: readonly CalledAgent[]): void {
    const wanted = new Map(agents.map((agent) => [JSON.stringify(agent), agent]));
    for (const [key, call] of this.#calls) {
      if (wanted.has(key)) continue;
      call.stop();
      this.#calls.delete(key);
    }
    for (const [key, agent] of wanted) {
      this.#calls.getOrInsertComputed(key, () => new AgentCall(agent, this.#parts));
    }
  }
}

/** Calls one agent, and calls again whenever the line ends. */
class AgentCall {
  readonly #agent: CalledAgent;
  readonly #parts: CallParts;
  #line: Line | undefined;
  #cancelDial: Cancel = () => {};
  #cancel: Cancel = () => {};
  #isUnreachable = false;
  #isStopped = false;

  constructor(agent: CalledAgent, parts: CallParts) {
    this.#agent = agent;
    this.#parts = parts;
    this.#call();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
    this.#cancelDial();
    this.#line?.terminate();
  }

  #call(): void {
    const { host } = this.#agent.address;
    const address = formatEndpoint(this.#agent.address);
    const { clock, dialler } = this.#parts;
    const url = new URL(`${isLoopback(host) ? 'ws' : 'wss'}://${address}${agentPath}`);
    const calledMs = clock.monotonic();
    this.#cancelDial = dialler.dial(url, connectLimitMs, {
      onOpen: (line) => void this.#speak(line).then((error) => this.#callAgain(error)),
      onFailed: (error) => this.#callAgain(error, clock.monotonic() - calledMs),
    });
  }

  #speak(line: Line): Promise<Error | undefined> {
    const { name, address, token } = this.#agent;
    this.#line = line;
    this.#isUnreachable = false;
    return this.#parts.adopt(line, {
      address: formatEndpoint(address),
      pairing: token === undefined ? undefined : parseJoinToken(token),
      expectedName: name,
    });
  }

  /** `waitedMs` went by in vain already, and counts. */
  #callAgain(error: Error | undefined, waitedMs = 0): void {
    if (this.#isStopped) return;
    if (!this.#isUnreachable) this.#parts.onUnreachable(this.#agent, error?.message ?? 'it closed the line');
    this.#isUnreachable = true;
    // What the protocol refuses a person must mend; only the agent's own trouble passes by itself.
    const isRefused = error instanceof ProtocolError && error.code !== 'unavailable';
    const spreadMs = isRefused ? refusedDelayMs : retrySpreadMs;
    const delayMs = Math.max(0, this.#parts.random() * spreadMs - waitedMs);
    this.#cancel = this.#parts.clock.after(delayMs, () => this.#call());
  }
}
