import type { Duplex } from 'node:stream';
import { abortError, Failure } from '../../core/failure.ts';
import { streamFailure } from '../tls/failure.ts';

interface StreamQuery {
  readonly query: Buffer;
  /** Who is asked and how, for messages: `1.1.1.1:853 by TLS`. */
  readonly peer: string;
  readonly signal: AbortSignal;
}

/**
 * Asks on a connected stream, where a message has its length in two bytes before it (RFC 1035 section 4.2.2), and resolves
 * with the first message that comes back. The stream stays the caller's.
 * @throws {Failure} closed, reset, timeout; or the signal's reason
 */
export function exchangeOnStream(stream: Duplex, { query, peer, signal }: StreamQuery): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const settle = (reply: Buffer | Error): void => {
      signal.removeEventListener('abort', onAbort);
      stream.off('data', onData).off('error', onError).off('close', onClose).off('end', onClose);
      if (reply instanceof Error) reject(reply);
      else resolve(reply);
    };
    const onAbort = (): void => settle(abortError(signal, `Waiting for an answer from ${peer}`));
    const onError = (error: Error): void => settle(streamFailure(error, `Asking ${peer}`));
    const onClose = (): void =>
      settle(new Failure('closed', `${peer} closed the connection after ${received.length} bytes of its answer.`));
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const length = received.length < 2 ? Infinity : received.readUInt16BE(0);
      if (received.length >= length + 2) settle(received.subarray(2, length + 2));
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
