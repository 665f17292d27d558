import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { abortError, Failure } from '../../core/failure.ts';
import { decodeContent } from './content-coding.ts';
import type { ExchangeOptions, HttpResponse } from './http.ts';
import { GrowingBuffer } from '../packets/growing-buffer.ts';
import type { Http2Request } from '../packets/http1-request.ts';
import { maxHeaderBytes, maxInterimResponses } from '../packets/http1-response.ts';
import { streamFailure } from '../tls/failure.ts';

/**
 * Sends one request over a connected socket as HTTP/2 (RFC 9113) and reads its response; the socket stays the caller's.
 * @throws {Failure} protocol, too-large, closed, reset; or the signal's reason
 */
export async function exchangeHttp2(
  socket: Socket,
  request: Http2Request,
  options: ExchangeOptions,
): Promise<HttpResponse> {
  const { scheme = 'https' } = request;
  const session = connect(`${scheme}://${request.headers['host']}`, {
    createConnection: () => socket,
    settings: { enablePush: false, maxHeaderListSize: maxHeaderBytes },
  });
  try {
    const response = await transfer(session, request, options);
    const codings = response.headers.get('content-encoding');
    return codings === undefined
      ? response
      : { ...response, body: await decodeContent(response.body, codings, options) };
  } finally {
    session.destroy();
  }
}

function transfer(session: ClientHttp2Session, request: Http2Request, options: ExchangeOptions): Promise<HttpResponse> {
  const { signal, clock, peer, maxBodyBytes } = options;
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const sentMs = clock.monotonic();
  const stream = openStream(session, request);
  let interimResponses = 0;
  let head: (ReturnType<typeof headOf> & { readonly firstByteMs: number }) | undefined;
  let trailers: ReadonlyMap<string, string> | undefined;
  const body = new GrowingBuffer();

  const onAbort = (): void => reject(abortError(signal, `${head ? 'Reading' : 'Waiting for'} the response of ${peer}`));
  const onError = (error: Error): void => reject(http2Failure(error, peer));
  const refuse = (what: string): void =>
    reject(new Failure('too-large', `The response of ${peer}: expected ${what}, got more.`));
  stream
    .on('response', (fields) => (head = { ...headOf(fields), firstByteMs: clock.monotonic() - sentMs }))
    .on(
      'headers',
      () =>
        ++interimResponses > maxInterimResponses && refuse(`at most ${maxInterimResponses} interim (1xx) responses`),
    )
    .on('trailers', (fields) => (trailers = headOf(fields).headers))
    .on('data', (chunk: Buffer) => {
      if (body.length + chunk.length > maxBodyBytes)
        return refuse(`a body of at most ${maxBodyBytes} bytes (maxBodyBytes)`);
      body.append(chunk);
    })
    .on('error', onError)
    .once('end', () => {
      // Node ends a stream also when its connection is lost; only the reset code tells, and `close` follows.
      if (!head || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
      const transferMs = clock.monotonic() - sentMs - head.firstByteMs;
      resolve({
        ...head,
        ...(trailers && { trailers }),
        version: '2',
        statusText: textOf(head.status),
        body: body.bytes(),
        bodyBytes: body.length,
        transferMs,
      });
    })
    .once('close', () => reject(new Failure('closed', `${peer} closed the stream before its response was complete.`)));
  session.on('error', onError);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return promise.finally(() => signal.removeEventListener('abort', onAbort));
}

function openStream(session: ClientHttp2Session, request: Http2Request): ClientHttp2Stream {
  const { method, target, scheme = 'https', body } = request;
  const { host, ...headers } = request.headers;
  const pseudo = { ':method': method, ':path': target, ':scheme': scheme, ':authority': host };
  const stream = session.request({ ...pseudo, ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return stream;
}

/** The protocol no longer carries the text by which people know a status. */
function textOf(status: number): string {
  return STATUS_CODES[status] ?? '';
}

function headOf(fields: IncomingHttpHeaders): Pick<HttpResponse, 'status' | 'headers' | 'headerBytes'> {
  const headers = new Map<string, string>();
  let headerBytes = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || name.startsWith(':')) continue;
    const text = Array.isArray(value) ? value.join(', ') : value;
    headers.set(name, text);
    headerBytes += name.length + text.length;
  }
  return { status: Number(fields[':status']), headers, headerBytes };
}

function http2Failure(error: Error, peer: string): Error {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!code.startsWith('ERR_HTTP2_')) return streamFailure(error, `Talking to ${peer}`);
  return new Failure('protocol', `HTTP/2 with ${peer} broke: ${error.message}.`, { cause: error });
}
