import type { Duplex } from 'node:stream';
import { abortError, Failure } from '../../core/failure.ts';
import { streamFailure } from '../tls/failure.ts';

interface StreamQuery<T> {
  readonly query: Buffer;
  /** Server and protocol, for messages: `1.1.1.1:853 by TLS`. */
  readonly peer: string;
  readonly signal: AbortSignal;
  /** Reads a message; undefined if it is not the answer. */
  readonly read: (message: Buffer) => T | undefined;
}

/**
 * Asks on a connected stream, where a message has its length in two bytes before it (RFC 1035 section 4.2.2), and resolves
 * with the first message that `read` takes. The stream stays the caller's.
 * @throws {Failure} closed, reset, timeout; or the signal's reason
 */
export function exchangeOnStream<T>(stream: Duplex, { query, peer, signal, read }: StreamQuery<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const messages = new MessageSplitter();
    const end = (): void => {
      signal.removeEventListener('abort', onAbort);
      stream.off('data', onData).off('error', onError).off('close', onClose).off('end', onClose);
    };
    const fail = (error: unknown): void => {
      end();
      reject(error);
    };
    const onAbort = (): void => fail(abortError(signal, `Waiting for an answer from ${peer}`));
    const onError = (error: Error): void => fail(streamFailure(error, `Asking ${peer}`));
    const onClose = (): void =>
      fail(new Failure('closed', `${peer} closed the connection after ${messages.rest} bytes of its answer.`));
    const onData = (chunk: Buffer): void => {
      try {
        for (const message of messages.add(chunk)) {
          const answer = read(message);
          if (answer === undefined) continue;
          end();
          return resolve(answer);
        }
        if (messages.count > maxMessages) onClose();
      } catch (error) {
        fail(error);
      }
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('data', onData).on('error', onError).on('close', onClose).on('end', onClose);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    // RFC 7766 section 8: length and message in one segment.
    stream.write(Buffer.concat([length, query]));
  });
}

/** A server that sends more than this without an answer to the only question is not waited for. */
const maxMessages = 100;

/** Cuts a stream into messages; holds one that is not complete yet, at most 65,537 bytes. */
class MessageSplitter {
  #received = Buffer.alloc(0);
  count = 0;

  /** Bytes of a message that is not complete. */
  get rest(): number {
    return this.#received.length;
  }

  *add(chunk: Buffer): Generator<Buffer> {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const length = this.#received.length < 2 ? Infinity : this.#received.readUInt16BE(0);
      if (this.#received.length < length + 2) return;
      const message = this.#received.subarray(2, length + 2);
      this.#received = this.#received.subarray(length + 2);
      this.count++;
      yield message;
    }
  }
}
