import type { Cancel, Clock } from '../core/clock.ts';
import type { SeqRange } from '../core/entry.ts';
import type { RunAnswer } from '../core/task.ts';
import type { Channel } from '../protocol/channel.ts';
import { ProtocolError } from '../protocol/frames.ts';
import { heartbeatIntervalMs, type AgentMessage, type Heartbeat, type ServerMessage } from '../protocol/messages.ts';
import type { Greeting } from './greeting.ts';
import type { SensorsMessage } from './sensor-host.ts';
import { Sender, type EntrySource } from './sender.ts';
import type { ChainBegin } from './hosted-sensor.ts';
import type { Applied, TasksMessage } from './task-list.ts';

/** What a session needs of the rest of the agent. */
export interface SessionPorts {
  readonly clock: Clock;
  readonly source: EntrySource & {
    /** Takes what the server has of the entries. Resolves with the reason why nothing may be sent over this connection, or undefined. */
    reconcile(received: readonly SeqRange[]): Promise<string | undefined>;
    /** A new connection begins: new entries are `live`, older unacknowledged ones `backlog`. */
    startSending(): Promise<void>;
  };
  /** The server has proved its identity and accepted this agent; `name` is what the server calls it. */
  onWelcome(serverKey: string, name: string): void;
  onTasks(message: TasksMessage): Applied;
  onSensors(message: SensorsMessage): void;
  /** The server has stored the first key of this chain. */
  onChainBegun(chain: string): void;
  /** The server cannot verify this chain. */
  onChainUnknown(chain: string): void;
  /** Why the task cannot be run now; undefined if it was started. */
  onRunNow(taskId: string): RunAnswer;
  /** Contents of the heartbeat. */
  vitals(): Omit<Heartbeat, 'type' | 'at'>;
}

interface SessionParts {
  readonly channel: Channel<ServerMessage, AgentMessage>;
  readonly greeting: Greeting;
}

/** The agent's end of one connection: greeting, then tasks in, entries and heartbeats out. */
export class ServerSession {
  readonly #ports: SessionPorts;
  readonly #parts: SessionParts;
  #sender: Sender | undefined;
  #cancelHeartbeat: Cancel | undefined;
  #isEnded = false;

  constructor(ports: SessionPorts, parts: SessionParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  /** Entries were appended to the spool. */
  wake(): void {
    this.#sender?.wake();
  }

  announce(begin: ChainBegin): void {
    this.#parts.channel.send(begin);
  }

  end(): void {
    this.#isEnded = true;
    this.#sender?.stop();
    this.#cancelHeartbeat?.();
  }

  async receive(message: ServerMessage): Promise<void> {
    const { channel, greeting } = this.#parts;
    if (message.type === 'challenge') return channel.send(greeting.answer(message));
    if (message.type === 'welcome' && !this.#sender) return await this.#start(message);
    if (!this.#sender)
      throw new ProtocolError('bad-frame', `expected a challenge and a welcome first, got ${message.type}`);
    this.#serve(message, this.#sender);
  }

  #serve(message: Exclude<ServerMessage, { type: 'challenge' }>, sender: Sender): void {
    switch (message.type) {
      case 'tasks':
        return this.#takeTasks(message);
      case 'ack':
        return message.epoch === this.#ports.source.epoch ? sender.acknowledged(message.ranges) : undefined;
      case 'run-now':
        return this.#runNow(message);
      case 'sensors':
        return this.#ports.onSensors(message);
      case 'chain-begun':
        return this.#ports.onChainBegun(message.chain);
      case 'chain-unknown':
        return this.#ports.onChainUnknown(message.chain);
      case 'heartbeat-seen':
        return undefined;
      case 'welcome':
        throw new ProtocolError('bad-frame', 'expected one welcome, got a second');
    }
  }

  async #start({ signature, name, received }: Extract<ServerMessage, { type: 'welcome' }>): Promise<void> {
    const { channel, greeting } = this.#parts;
    greeting.confirm(signature);
    // Acknowledgements may have been lost with the last connection.
    const obstacle = await this.#ports.source.reconcile(received);
    if (obstacle !== undefined) return channel.reject('unavailable', obstacle);
    await this.#ports.source.startSending();
    if (this.#isEnded) return;
    this.#sender = new Sender(this.#ports.source, channel);
    this.#sender.wake();
    this.#ports.onWelcome(greeting.serverKey, name);
    this.#beat();
  }

  #takeTasks(message: TasksMessage): void {
    const applied = this.#ports.onTasks(message);
    if (applied === 'unfit') {
      throw new ProtocolError(
        'bad-frame',
        `expected a change to a revision this agent has, got one to ${message.base}`,
      );
    }
    if (applied === 'changed') this.#parts.channel.send({ type: 'tasks-applied', revision: message.revision });
  }

  #runNow({ requestId, taskId }: Extract<ServerMessage, { type: 'run-now' }>): void {
    const answer = this.#ports.onRunNow(taskId);
    this.#parts.channel.send(
      'refusal' in answer
        ? { type: 'run-refused', requestId, message: answer.refusal }
        : { type: 'run-accepted', requestId, scheduledAt: answer.scheduledAt },
    );
  }

  #beat(): void {
    const { clock } = this.#ports;
    this.#parts.channel.send({ type: 'heartbeat', at: clock.now(), ...this.#ports.vitals() });
    this.#cancelHeartbeat?.();
    this.#cancelHeartbeat = clock.after(heartbeatIntervalMs, () => this.#beat());
  }
}
