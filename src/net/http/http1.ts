import type { Socket } from 'node:net';
import { abortError, Failure } from '../../core/failure.ts';
import type { Reason } from '../../core/outcome.ts';
import { contentCodings, type ExchangeOptions, type HttpResponse } from './http.ts';
import { Http1Error, transferContentCodings, type Http1Fault } from '../packets/http1-framing.ts';
import { encodeRequest, type HttpRequest } from '../packets/http1-request.ts';
import { ResponseParser } from '../packets/http1-response.ts';
import { streamFailure } from '../tls/failure.ts';

const reasonOfFault: Readonly<Record<Http1Fault, Reason>> = {
  malformed: 'protocol',
  'too-large': 'too-large',
  truncated: 'closed',
};

/**
 * Sends one request over a connected socket and reads its response; the socket stays the caller's.
 * @throws {Failure} protocol, too-large, closed, reset, tls-…; or the signal's reason
 */
export async function exchangeHttp1(
  socket: Socket,
  request: HttpRequest,
  options: ExchangeOptions,
): Promise<HttpResponse> {
  const { parser, firstByteMs, transferMs } = await transfer(socket, request, options);
  // A response that is complete has a head.
  const head = parser.head!;
  return {
    ...head,
    headerBytes: parser.headerBytes,
    body: parser.body.bytes(),
    isCut: parser.isCut,
    codings: [...contentCodings(head.headers), ...transferContentCodings(head)],
    oddities: [...parser.oddities],
    firstByteMs,
    transferMs,
  };
}

interface Transfer {
  readonly parser: ResponseParser;
  readonly firstByteMs: number;
  readonly transferMs: number;
}

async function transfer(socket: Socket, request: HttpRequest, options: ExchangeOptions): Promise<Transfer> {
  const { signal, clock, peer, maxBodyBytes } = options;
  const parser = new ResponseParser({ method: request.method, maxBodyBytes });
  const { promise, resolve, reject } = Promise.withResolvers<Transfer>();
  const sentMs = clock.monotonic();
  let firstByteMs: number | undefined;

  const onAbort = (): void =>
    reject(abortError(signal, `${firstByteMs === undefined ? 'Waiting for' : 'Reading'} the response of ${peer}`));
  const onError = (error: Error): void => reject(streamFailure(error, `Talking to ${peer}`));
  const complete = (): void => {
    const nowMs = clock.monotonic();
    resolve({ parser, firstByteMs: (firstByteMs ?? nowMs) - sentMs, transferMs: nowMs - (firstByteMs ?? nowMs) });
  };
  const attempt = (read: () => boolean): void => {
    try {
      if (read()) complete();
    } catch (error) {
      reject(responseFailure(error, peer));
    }
  };
  const onData = (bytes: Buffer): void => {
    firstByteMs ??= clock.monotonic();
    attempt(() => parser.push(bytes));
  };
  const onEnd = (): void =>
    attempt(() => {
      parser.end();
      return true;
    });

  signal.addEventListener('abort', onAbort, { once: true });
  socket.on('data', onData).once('end', onEnd).once('close', onEnd).once('error', onError);
  if (signal.aborted) onAbort();
  socket.write(encodeRequest(request));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // The error listener stays: what happens to the socket from here on is of no interest, and must not be thrown.
    socket.off('data', onData).off('end', onEnd).off('close', onEnd);
  }
}

/** The failure of a check for an error of `ResponseParser`; any other error stays as it is. */
export function responseFailure(error: unknown, peer: string): unknown {
  if (!(error instanceof Http1Error)) return error;
  const { fault, message } = error;
  const text =
    fault === 'truncated' ? `${peer} closed the connection ${message}.` : `The response of ${peer}: ${message}.`;
  return new Failure(reasonOfFault[fault], text, { cause: error });
}
