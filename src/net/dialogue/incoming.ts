import type { Socket } from 'node:net';
import { abortError, Failure } from '../../core/failure.ts';
import { streamFailure } from '../tls/failure.ts';

export interface Waiting {
  readonly signal: AbortSignal;
  /** For the message when it ends badly: `Waiting for the banner of mail.example:25`. */
  readonly doing: string;
}

/** Receives from a TCP or TLS connection and keeps the bytes until they are taken, never more than `maxBytes` at once. */
export class Incoming {
  readonly #socket: Socket;
  readonly #maxBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #end: Error | 'closed' | undefined;
  #wake = (): void => {};

  constructor(socket: Socket, maxBytes: number) {
    this.#socket = socket;
    this.#maxBytes = maxBytes;
    socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onError);
  }

  /** The bytes that were received and not taken yet. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Hands the socket on, paused: to a TLS handshake, or to nobody. */
  release(): void {
    const socket = this.#socket.pause();
    socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd).off('error', this.#onError);
    // A reset while nobody listens must not end the process.
    socket.on('error', () => {});
  }

  drop(count: number): void {
    this.#bytes = this.#bytes.subarray(count);
  }

  /**
   * Waits until `find` has what it looks for in the bytes that are there.
   * @throws {Failure} closed, reset, too-large, timeout; or the signal's reason
   */
  async until<T>(find: (bytes: Buffer) => T | undefined, { signal, doing }: Waiting): Promise<T> {
    for (;;) {
      const found = find(this.#bytes);
      if (found !== undefined) return found;
      if (signal.aborted) throw abortError(signal, doing);
      if (this.#bytes.length > this.#maxBytes) {
        throw new Failure('too-large', `${doing}: expected it within ${this.#maxBytes} bytes, more came.`);
      }
      if (this.#end) throw failureOf(this.#end, doing);
      await this.#change(signal);
    }
  }

  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    this.#socket.resume();
    await promise;
    signal.removeEventListener('abort', wake);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    // Until somebody waits, further bytes stay in the buffers of the kernel and the peer.
    this.#socket.pause();
    this.#wake();
  };

  readonly #onEnd = (): void => {
    this.#end ??= 'closed';
    this.#wake();
  };

  readonly #onError = (error: Error): void => {
    this.#end ??= error;
    this.#wake();
  };
}

function failureOf(end: Error | 'closed', doing: string): Error {
  if (end === 'closed') return new Failure('closed', `${doing}: the other side closed the connection.`);
  return streamFailure(end, doing);
}
