import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { Failure } from '../../core/failure.ts';
import { quoted } from '../../core/quoted.ts';
import type { Incoming } from '../../net/dialogue/incoming.ts';
import { GrowingBuffer } from '../../net/packets/growing-buffer.ts';
import {
  closePayload,
  closeStatusOf,
  encodeFrame,
  FrameError,
  readFrame,
  type CloseStatus,
  type Frame,
  type Opcode,
} from '../../net/packets/websocket.ts';

export const largestMessageBytes = 1_048_576;
const maxPings = 1000;
const normalClosure = 1000;

/** A whole message of the server, or its answer to a ping. */
export interface Message {
  readonly kind: 'text' | 'binary' | 'pong';
  readonly bytes: Buffer;
}

/** Messages over an open WebSocket connection: puts fragments together and answers pings. */
export class Messages {
  readonly #socket: Socket;
  readonly #incoming: Incoming;
  readonly #where: string;
  /** The message whose fragments are coming. */
  #kind: 'text' | 'binary' | undefined;
  #fragments = new GrowingBuffer();
  #pings = 0;

  constructor(socket: Socket, incoming: Incoming, where: string) {
    this.#socket = socket;
    this.#incoming = incoming;
    this.#where = where;
  }

  send(opcode: Opcode, payload: Buffer): void {
    this.#socket.write(encodeFrame(opcode, payload, randomBytes(4)));
  }

  /** The next message or pong. @throws {Failure} closed, protocol, too-large, reset, timeout; or the signal's reason */
  async next(signal: AbortSignal, doing: string): Promise<Message> {
    for (;;) {
      const frame = await this.#nextFrame(signal, doing);
      if (frame.opcode === 'close') throw new Failure('closed', `${doing}: the server closed with ${told(frame)}.`);
      const message = this.#accept(frame);
      if (message) return message;
    }
  }

  /** The closing handshake (RFC 6455 section 7.1.2); what the server still had to say is read over. */
  async close(signal: AbortSignal): Promise<CloseStatus> {
    this.send('close', closePayload(normalClosure));
    for (;;) {
      const { opcode, payload } = await this.#nextFrame(signal, `Waiting for the Close frame of ${this.#where}`);
      if (opcode === 'close') return closeStatusOf(payload);
    }
  }

  async #nextFrame(signal: AbortSignal, doing: string): Promise<Frame> {
    const { frame, length } = await this.#incoming.until((bytes) => this.#read(bytes), { signal, doing });
    this.#incoming.drop(length);
    return frame;
  }

  #read(bytes: Buffer): ReturnType<typeof readFrame> {
    try {
      return readFrame(bytes, largestMessageBytes - this.#fragments.length);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const reason = error.fault === 'malformed' ? 'protocol' : 'too-large';
      throw new Failure(reason, `WebSocket with ${this.#where}: ${error.message}.`, { cause: error });
    }
  }

  /** Undefined while a message is not whole, and for a ping, which is answered. */
  #accept({ opcode, final, payload }: Frame): Message | undefined {
    if (opcode === 'ping') {
      this.#answerPing(payload);
      return undefined;
    }
    if (opcode === 'pong') return { kind: 'pong', bytes: payload };
    const isContinuation = opcode === 'continuation';
    if (isContinuation !== (this.#kind !== undefined))
      throw this.#broken(isContinuation ? 'a message to continue' : 'the rest of a message', `a ${opcode} frame`);
    if (opcode === 'text' || opcode === 'binary') this.#kind = opcode;
    this.#fragments.append(payload);
    return final ? this.#whole() : undefined;
  }

  /** Bounded: a server that pings and does not read would fill our memory with pongs. */
  #answerPing(payload: Buffer): void {
    this.#pings += 1;
    if (this.#pings > maxPings)
      throw new Failure('too-large', `WebSocket with ${this.#where}: expected at most ${maxPings} pings, got more.`);
    this.send('pong', payload);
  }

  #whole(): Message {
    // A message has begun, or this would not be its end.
    const kind = this.#kind!;
    const bytes = this.#fragments.bytes();
    this.#kind = undefined;
    this.#fragments = new GrowingBuffer();
    if (kind === 'text' && !isUtf8(bytes)) throw this.#broken('a text message in UTF-8', 'other bytes');
    return { kind, bytes };
  }

  #broken(expected: string, found: string): Failure {
    return new Failure('protocol', `WebSocket with ${this.#where}: expected ${expected}, got ${found}.`);
  }
}

function told({ payload }: Frame): string {
  const { code, reason } = closeStatusOf(payload);
  return `${code ?? 'no code'}${reason === '' ? '' : ` ${quoted(reason)}`}`;
}
