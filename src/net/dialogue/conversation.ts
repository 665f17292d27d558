import type { Socket } from 'node:net';
import { showBytes } from '../../core/bytes.ts';
import { Failure } from '../../core/failure.ts';
import { quoted } from '../../core/quoted.ts';
import { Incoming } from './incoming.ts';

const maxReceivedBytes = 65_536;
const maxShownExtra = 60;

interface Setting {
  readonly signal: AbortSignal;
  /** For messages: `mail.example:25`. */
  readonly where: string;
}

/** Something found in the bytes that came, and where it ends. */
export interface FoundText<T> {
  readonly value: T;
  readonly end: number;
}

/** One connection on which text goes to and fro, in TLS or not. What is read is used up. */
export class Conversation {
  readonly where: string;
  readonly #signal: AbortSignal;
  readonly #sockets: Socket[] = [];
  #socket: Socket;
  #incoming: Incoming;
  #greeting: string | undefined;
  #secrets: readonly Buffer[] = [];

  constructor(socket: Socket, { signal, where }: Setting) {
    this.where = where;
    this.#signal = signal;
    this.#socket = socket;
    this.#sockets.push(socket);
    this.#incoming = new Incoming(socket, maxReceivedBytes);
  }

  /** The first bytes from the other side, for people; undefined if none were read. */
  get greeting(): string | undefined {
    return this.#greeting;
  }

  /** The bytes that came and were not read yet. */
  get unread(): Buffer {
    return this.#incoming.bytes;
  }

  write(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  /** Writes the last words: returns when they have left, or cannot. */
  async writeLast(bytes: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const signal = this.#signal;
    signal.addEventListener('abort', () => resolve(), { once: true });
    this.#socket.write(bytes, () => resolve());
    if (!signal.aborted) await promise;
  }

  /** From now on `shown` hides these texts: a server may repeat in its words what it was told. */
  hide(secrets: readonly string[]): void {
    // An empty one stands everywhere.
    this.#secrets = secrets.filter((secret) => secret !== '').map((secret) => Buffer.from(secret));
  }

  /** Received bytes for people: one line, hexadecimal if they are no text, secrets as stars. */
  shown(bytes: Buffer, limit?: number): string {
    const copy = Buffer.from(bytes);
    for (const secret of this.#secrets)
      // Search on after the filled part: a secret of stars would be found in it again.
      for (let at = copy.indexOf(secret); at >= 0; at = copy.indexOf(secret, at + secret.length))
        copy.fill('*', at, at + secret.length);
    const text = showBytes(copy, limit);
    return quoted(this.#secrets.length === 0 ? text : text.replaceAll(/\*+/g, '***'));
  }

  /**
   * Waits until `find` finds something. `doing` is for messages: `Waiting for the greeting of mail.example:25`.
   * @throws {Failure} timeout, closed, reset, too-large, or what `find` throws; or the signal's reason
   */
  async read<T>(find: (bytes: Buffer) => FoundText<T> | undefined, doing: string): Promise<T> {
    const incoming = this.#incoming;
    const { value, end } = await incoming
      .until(find, { signal: this.#signal, doing })
      .finally(() => incoming.bytes.length > 0 && (this.#greeting ??= showBytes(incoming.bytes)));
    incoming.drop(end);
    return value;
  }

  /** Leaves the connection to a TLS handshake. @throws {Failure} protocol, if the other side has sent unexpected bytes */
  handOver(): Socket {
    this.#incoming.release();
    if (this.unread.length === 0) return this.#socket;
    const extra = this.shown(this.unread, maxShownExtra);
    throw new Failure('protocol', `Expected silence from ${this.where} before the TLS handshake, got ${extra}.`);
  }

  /** Goes on in TLS. @throws {Failure} as `handOver` and `handshake` do */
  async upgrade(handshake: (socket: Socket) => Promise<Socket>): Promise<void> {
    this.#socket = await handshake(this.handOver());
    this.#sockets.push(this.#socket);
    this.#incoming = new Incoming(this.#socket, maxReceivedBytes);
  }

  /** Ends the connection at once. */
  [Symbol.dispose](): void {
    for (const socket of this.#sockets.toReversed()) socket.destroy();
  }
}
