import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { Greeting, type AgentIdentity, type Trust } from '../../src/agent/greeting.ts';
import { channelBindingOf } from '../../src/adapters/web-socket-line.ts';
import { createIdentity, keyPin } from '../../src/protocol/identity.ts';
import { parseJoinToken } from '../../src/protocol/join-token.ts';
import type { AgentMessage, ErrorMessage, ServerMessage } from '../../src/protocol/messages.ts';
import { longMs } from '../../src/testing/eventually.ts';

type Word = ServerMessage | ErrorMessage;
export type Hello = Extract<AgentMessage, { type: 'hello' }>;
type Challenge = Extract<ServerMessage, { type: 'challenge' }>;

export function newIdentity(name: string): AgentIdentity {
  return { agentId: crypto.randomUUID(), name, ...createIdentity() };
}

/** The other end of an agent's line with nothing of the agent in between: it can say whatever a test wants. */
export class WrongAgent implements Disposable {
  readonly socket: WebSocket;
  readonly words: Word[] = [];
  #closeCode: number | undefined;
  #onNews = (): void => {};

  private constructor(url: string, options: ClientOptions) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/agent`, { rejectUnauthorized: false, ...options });
    this.socket.on('message', (data: Buffer) => {
      // The server under test wrote it; what is wrong in it fails the test that reads it.
      this.words.push(JSON.parse(data.toString()) as Word);
      this.#onNews();
    });
    this.socket.on('error', () => {});
    this.socket.once('close', (code) => {
      this.#closeCode = code;
      this.#onNews();
    });
  }

  static async connect(url: string, options: ClientOptions = {}): Promise<WrongAgent> {
    const agent = new WrongAgent(url, options);
    await once(agent.socket, 'open');
    return agent;
  }

  /** Connected and greeted as the agent should be, with a token if it has not joined yet. */
  static async welcomed(url: string, { identity, token, epoch = '1' }: Papers): Promise<WrongAgent> {
    const agent = await WrongAgent.connect(url);
    agent.say(await agent.hello({ identity, token, epoch }));
    await agent.until('welcome');
    return agent;
  }

  /** The right answer to the server's challenge. */
  async hello({ identity, token, epoch = '1' }: Papers): Promise<Hello> {
    const challenge = (await this.until('challenge')) as Challenge;
    const parsed = token === undefined ? undefined : parseJoinToken(token);
    const trust: Trust = { serverPin: pinOf(challenge), ...(parsed && { secret: parsed.secret }) };
    const channelBinding = channelBindingOf(this.socket);
    return new Greeting({ identity, trust, epoch, version: 'wrong', channelBinding }).answer(challenge) as Hello;
  }

  say(word: object | string): void {
    this.socket.send(typeof word === 'string' ? word : JSON.stringify(word));
  }

  /** The first word of this type. */
  until(type: Word['type']): Promise<Word> {
    return this.#look(type, () => this.words.find((word) => word.type === type));
  }

  /** The code of the error that the server says, once it has also closed the line. */
  async refusal(): Promise<string> {
    await this.#look('a closed line', () => this.#closeCode !== undefined);
    const error = this.words.findLast((word) => word.type === 'error');
    return error?.code ?? `closed with ${this.#closeCode}`;
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }

  async #look<Value>(what: string, find: () => Value | undefined | false): Promise<Value> {
    const deadline = AbortSignal.timeout(longMs);
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      if (deadline.aborted || (this.#closeCode !== undefined && what !== 'a closed line'))
        throw new Error(`expected ${what}, got ${JSON.stringify(this.words)}, closed with ${this.#closeCode}`);
      await Promise.race([new Promise<void>((resolve) => (this.#onNews = resolve)), once(deadline, 'abort')]);
    }
  }
}

export interface Papers {
  readonly identity: AgentIdentity;
  readonly token?: string | undefined;
  readonly epoch?: string;
}

function pinOf({ publicKey }: Challenge): string {
  return keyPin(publicKey);
}

export function resultOf(taskId: string, over: object = {}): object {
  const times = { scheduledAt: Date.now(), startedAt: Date.now(), durationMs: 1 };
  const outcome = { status: 'up', metrics: {}, detail: {}, message: 'ok' };
  return { kind: 'result', taskId, monitorId: 'm', ...times, ...outcome, ...over };
}

export function entriesOf(epoch: string, ...items: readonly (readonly [seq: number, item: object])[]): object {
  return { type: 'entries', lane: 'live', epoch, entries: items.map(([seq, item]) => ({ seq, item })) };
}

export function heartbeat(): object {
  const queue = { depth: 0, bytes: 0, lastSeq: 0 };
  return {
    type: 'heartbeat',
    at: Date.now(),
    queue,
    health: { lagMs: 0, impaired: [] },
    tasks: 0,
    chains: [],
    sensors: [],
  };
}
