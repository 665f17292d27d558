import type { Clock } from '../../core/clock.ts';
import type { Entry, SeqRange } from '../../core/entry.ts';
import { AppError } from '../../core/errors.ts';
import { rangesOf } from '../../core/ranges.ts';
import type { RunAnswer } from '../../core/task.ts';
import type { Channel } from '../../protocol/channel.ts';
import { ProtocolError } from '../../protocol/frames.ts';
import type { AgentMessage, Heartbeat, ServerMessage } from '../../protocol/messages.ts';
import type { Gatekeeper, Greeting } from './greeting.ts';
import type { Rate } from '../../core/rate.ts';
import { Quota } from '../../core/quota.ts';

type EntriesMessage = Extract<AgentMessage, { type: 'entries' }>;

/** What a session needs of the rest of the server. */
export interface SessionPorts {
  readonly clock: Clock;
  readonly gatekeeper: Gatekeeper;
  /** What of this epoch is committed already, so that an acknowledgement that got lost is given again. */
  received(agentId: string, epoch: string): Promise<readonly SeqRange[]>;
  /** Resolves when the entries are durable. @throws {AppError} usage, when they will never be taken; unavailable */
  commit(agentId: string, epoch: string, entries: readonly Entry[]): Promise<void>;
  /** The other end has said who it is, and this is looked into. */
  onGreeting(): void;
  /** The session is the agent's from now on. */
  onLive(session: AgentSession): void;
  /** Takes bytes that are to be kept, and says how long to wait before more are read, in milliseconds. */
  takeStorage(agentId: string, bytes: number): number;
  /** Read and not durable yet, over all sessions, which count here. */
  readonly uncommitted: { bytes: number };
  onHeartbeat(session: AgentSession, heartbeat: Heartbeat): void;
  /** Resolves when the chain's first key is durable: true; false if the agent must begin another. @throws {ProtocolError} */
  beginChain(agentId: string, chain: Extract<AgentMessage, { type: 'chain-begin' }>): Promise<boolean>;
  onTasksApplied(session: AgentSession, revision: number): void;
  onRunAnswer(requestId: string, answer: RunAnswer): void;
}

/**
 * Frames of entries that were read and are not durable yet, of one agent and of all: up to these bytes it is read on
 * meanwhile, for its heartbeats above all, and its entries wait in their order. A minute of a hundred checks a second is 2 MiB.
 */
const maxUncommittedBytes = { ofOne: 4 * 1024 * 1024, ofAll: 32 * 1024 * 1024 };

/** What one agent may send: far above what thousands of checks make, and a backlog is sent no faster. */
const entryRate: Rate = { burst: 40_000, perSecond: 10_000 };
const byteRate: Rate = { burst: 16 * 1024 * 1024, perSecond: 8 * 1024 * 1024 };
/** Everything that is not entries: a heartbeat every five seconds, and an answer to each thing we said. */
const wordRate: Rate = { burst: 1000, perSecond: 20 };

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
  readonly #quotas: { readonly entries: Quota; readonly bytes: Quota; readonly words: Quota };
  #greeting: Greeting | undefined;
  #committing: Promise<void> = Promise.resolve();
  #uncommittedBytes = 0;
  #releaseHeld = (): void => {};
  #isClosed = false;
  #agentId = '';
  #epoch = '';
  #version = '';
  #name = '';

  constructor(ports: SessionPorts, { channel, address, greeting }: SessionParts) {
    this.#ports = ports;
    this.#channel = channel;
    this.address = address;
    this.#greeting = greeting;
    const { clock } = ports;
    this.#quotas = {
      entries: new Quota(clock, entryRate),
      bytes: new Quota(clock, byteRate),
      words: new Quota(clock, wordRate),
    };
    channel.send(greeting.challenge);
  }

  /** Empty until the agent has proved who it is. */
  get agentId(): string {
    return this.#agentId;
  }

  get name(): string {
    return this.#name;
  }

  /** The administrator has given the agent another name. */
  rename(name: string): void {
    this.#name = name;
  }

  get version(): string {
    return this.#version;
  }

  send(message: ServerMessage): void {
    this.#channel.send(message);
  }

  /** Sends, and resolves when the network has taken it or the session has ended. */
  deliver(message: ServerMessage): Promise<void> {
    return this.#channel.deliver(message);
  }

  /** Ends the session at once, and says why. */
  end(code: 'revoked' | 'replaced' | 'unavailable', message: string): void {
    this.#channel.reject(code, message);
    this.close();
  }

  /** The connection has ended: entries that are held back are not committed; the agent sends them again. */
  close(): void {
    this.#isClosed = true;
    this.#releaseHeld();
  }

  /** Resolves when what was handed over is committed, or could not be. */
  async settled(): Promise<void> {
    // Whoever handed it over is told of a failure.
    await this.#committing.catch(() => {});
  }

  async receive(message: AgentMessage, bytes: number): Promise<void> {
    if (message.type === 'hello') return await this.#greet(message);
    if (this.#greeting) throw new ProtocolError('bad-frame', `expected hello first, got ${message.type}`);
    if (message.type === 'entries') return await this.#queue(message, bytes);
    if (this.#quotas.words.take(1) > 0) {
      const limit = `${wordRate.perSecond} messages a second beside entries`;
      throw new ProtocolError('quota', `expected at most ${limit}, got more for a while`);
    }
    switch (message.type) {
      case 'heartbeat':
        this.#ports.onHeartbeat(this, message);
        return this.send({ type: 'heartbeat-seen', at: this.#ports.clock.now() });
      case 'chain-begin':
        return await this.#beginChain(message);
      case 'tasks-applied':
        return this.#ports.onTasksApplied(this, message.revision);
      case 'run-accepted':
        return this.#ports.onRunAnswer(message.requestId, { scheduledAt: message.scheduledAt });
      case 'run-refused':
        return this.#ports.onRunAnswer(message.requestId, { refusal: message.message });
    }
  }

  async #beginChain(begin: Extract<AgentMessage, { type: 'chain-begin' }>): Promise<void> {
    const isBegun = await this.#ports.beginChain(this.#agentId, begin);
    this.send({ type: isBegun ? 'chain-begun' : 'chain-unknown', chain: begin.chain });
  }

  async #greet(hello: Extract<AgentMessage, { type: 'hello' }>): Promise<void> {
    if (!this.#greeting) throw new ProtocolError('bad-frame', 'expected one hello, got a second');
    this.#ports.onGreeting();
    const { name, signature } = await this.#greeting.accept(hello, this.#ports.gatekeeper);
    this.#greeting = undefined;
    this.#agentId = hello.agentId;
    this.#epoch = hello.epoch;
    this.#version = hello.version;
    this.#name = name;
    const received = await this.#ports.received(hello.agentId, hello.epoch);
    // It may have been revoked while the store was asked.
    this.#ports.gatekeeper.confirm(hello.agentId);
    this.send({ type: 'welcome', signature, name: this.#name, at: this.#ports.clock.now(), received });
    this.#ports.onLive(this);
  }

  /** Commits one frame after the other; resolves when the next may be read. */
  async #queue(message: EntriesMessage, bytes: number): Promise<void> {
    if (message.epoch !== this.#epoch) {
      throw new ProtocolError('not-your-entries', `expected entries of epoch ${this.#epoch}, got ${message.epoch}`);
    }
    this.#countUncommitted(bytes);
    const heldMs = this.#heldBackMs(message.entries.length, bytes);
    // After one that failed none is committed any more.
    this.#committing = this.#committing
      .then(() => this.#holdBack(heldMs))
      .then(() => this.#commit(message))
      .finally(() => this.#countUncommitted(-bytes));
    this.#committing.catch((error: unknown) => this.#channel.abandon(error));
    const { ofOne, ofAll } = maxUncommittedBytes;
    if (this.#uncommittedBytes > ofOne || this.#ports.uncommitted.bytes > ofAll) await this.#committing;
  }

  #countUncommitted(bytes: number): void {
    this.#uncommittedBytes += bytes;
    this.#ports.uncommitted.bytes += bytes;
  }

  /** Committed first, acknowledged then: the agent deletes what is acknowledged. */
  async #commit({ epoch, entries }: EntriesMessage): Promise<void> {
    try {
      await this.#ports.commit(this.#agentId, epoch, entries);
    } catch (error) {
      throw error instanceof AppError ? refusalOf(error) : error;
    }
    const { ranges } = rangesOf(entries.map(({ seq }) => seq).toSorted((a, b) => a - b));
    this.send({ type: 'ack', epoch, ranges });
  }

  /** How long entries wait, so that an agent stays within its quotas. */
  #heldBackMs(entries: number, bytes: number): number {
    const storageMs = this.#ports.takeStorage(this.#agentId, bytes);
    return Math.max(this.#quotas.entries.take(entries), this.#quotas.bytes.take(bytes), storageMs);
  }

  /**
   * An agent over its quota is throttled, never refused: a long backlog looks the same as abuse. Its entries are committed and
   * acknowledged later; it sends few ahead of acknowledgements, so that its heartbeats are read meanwhile.
   */
  async #holdBack(waitMs: number): Promise<void> {
    if (waitMs > 0 && !this.#isClosed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = this.#ports.clock.after(waitMs, resolve);
      this.#releaseHeld = resolve;
      await promise;
      cancel();
    }
    if (this.#isClosed) throw new ProtocolError('unavailable', 'the connection ended before these entries were stored');
  }
}

/** What the agent is told of entries that were not committed. */
function refusalOf({ code, message }: AppError): ProtocolError {
  return new ProtocolError(code === 'usage' ? 'not-your-entries' : 'unavailable', message);
}
