import type { Clock } from '../../core/clock.ts';
import type { Entry, SeqRange } from '../../core/entry.ts';
import type { Channel } from '../../protocol/channel.ts';
import { ProtocolError } from '../../protocol/frames.ts';
import type { AgentMessage, Heartbeat, ServerMessage } from '../../protocol/messages.ts';
import type { Gatekeeper, Greeting } from './greeting.ts';

type EntriesMessage = Extract<AgentMessage, { type: 'entries' }>;

/** What a session needs of the rest of the server. */
export interface SessionPorts {
  readonly clock: Clock;
  readonly gatekeeper: Gatekeeper;
  /** What of this epoch is committed already, so that an acknowledgement that got lost is given again. */
  received(agentId: string, epoch: string): Promise<readonly SeqRange[]>;
  /** Resolves when the entries are durable. @throws {ProtocolError} not-your-entries */
  commit(agentId: string, epoch: string, entries: readonly Entry[]): Promise<void>;
  /** The session is the agent's from now on. */
  onLive(session: AgentSession): void;
  onHeartbeat(session: AgentSession, heartbeat: Heartbeat): void;
  onTasksApplied(session: AgentSession, revision: number): void;
  onRunAnswer(requestId: string, refusal: string | undefined): void;
}

interface SessionParts {
  readonly channel: Channel<AgentMessage, ServerMessage>;
  /** The other end of the connection. */
  readonly address: string;
  readonly greeting: Greeting;
}

/** One agent's connection: greeting first, then entries in and acknowledgements out. */
export class AgentSession {
  readonly address: string;
  readonly #ports: SessionPorts;
  readonly #channel: Channel<AgentMessage, ServerMessage>;
  #greeting: Greeting | undefined;
  #agentId = '';
  #epoch = '';
  #version = '';
  #name = '';

  constructor(ports: SessionPorts, { channel, address, greeting }: SessionParts) {
    this.#ports = ports;
    this.#channel = channel;
    this.address = address;
    this.#greeting = greeting;
    channel.send(greeting.challenge);
  }

  /** Empty until the agent has proved who it is. */
  get agentId(): string {
    return this.#agentId;
  }

  get name(): string {
    return this.#name;
  }

  get version(): string {
    return this.#version;
  }

  send(message: ServerMessage): void {
    this.#channel.send(message);
  }

  /** Ends the session at once, and says why. */
  end(code: 'revoked' | 'replaced' | 'unavailable', message: string): void {
    this.#channel.reject(code, message);
  }

  async receive(message: AgentMessage): Promise<void> {
    if (message.type === 'hello') return await this.#greet(message);
    if (this.#greeting) throw new ProtocolError('bad-frame', `expected hello first, got ${message.type}`);
    switch (message.type) {
      case 'entries':
        return await this.#commit(message);
      case 'heartbeat':
        this.#ports.onHeartbeat(this, message);
        return this.send({ type: 'heartbeat-seen', at: this.#ports.clock.now() });
      case 'tasks-applied':
        return this.#ports.onTasksApplied(this, message.revision);
      case 'run-accepted':
        return this.#ports.onRunAnswer(message.requestId, undefined);
      case 'run-refused':
        return this.#ports.onRunAnswer(message.requestId, message.message);
    }
  }

  async #greet(hello: Extract<AgentMessage, { type: 'hello' }>): Promise<void> {
    if (!this.#greeting) throw new ProtocolError('bad-frame', 'expected one hello, got a second');
    const signature = await this.#greeting.accept(hello, this.#ports.gatekeeper);
    this.#greeting = undefined;
    this.#agentId = hello.agentId;
    this.#epoch = hello.epoch;
    this.#version = hello.version;
    this.#name = hello.name;
    const received = await this.#ports.received(hello.agentId, hello.epoch);
    this.send({ type: 'welcome', signature, at: this.#ports.clock.now(), received });
    this.#ports.onLive(this);
  }

  /** Committed first, acknowledged then: the agent deletes what is acknowledged. */
  async #commit({ epoch, entries }: EntriesMessage): Promise<void> {
    if (epoch !== this.#epoch) {
      throw new ProtocolError('not-your-entries', `expected entries of epoch ${this.#epoch}, got ${epoch}`);
    }
    await this.#ports.commit(this.#agentId, epoch, entries);
    this.send({ type: 'ack', epoch, ranges: rangesOf(entries) });
  }
}

/** The sequence numbers of entries, as few ranges as they make. */
export function rangesOf(entries: readonly Entry[]): SeqRange[] {
  const ranges: [number, number][] = [];
  for (const seq of entries.map((entry) => entry.seq).toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && seq <= last[1] + 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return ranges;
}
