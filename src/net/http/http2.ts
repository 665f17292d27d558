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
import { headersOf, type HeaderField, type Headers } from '../packets/http-fields.ts';
import { EndedStreams } from '../packets/http2-frames.ts';
import { GrowingBuffer } from '../packets/growing-buffer.ts';
import { contentLength, type Http2Request } from '../packets/http1-request.ts';
import { maxHeaderBytes, maxInterimResponses } from '../packets/http1-response.ts';
import { streamFailure } from '../tls/failure.ts';
import { contentCodings, type ExchangeOptions, type HttpResponse } from './http.ts';
import { watchedSocket } from './watched-socket.ts';

/** Header fields are bounded by their bytes alone, as in HTTP/1: the smallest field has two and its separators. */
const maxFields = maxHeaderBytes / 4;

/**
 * Sends one request over a connected socket as HTTP/2 (RFC 9113) and reads its response; the socket stays the caller's.
 * @throws {Failure} protocol, too-large, closed, reset; or the signal's reason
 */
export async function exchangeHttp2(
  socket: Socket,
  request: Http2Request,
  options: ExchangeOptions,
): Promise<HttpResponse> {
  const ended = new EndedStreams();
  const session = connect(`${request.scheme ?? 'https'}://${request.headers['host']}`, {
    createConnection: () => watchedSocket(socket, (bytes) => ended.push(bytes)),
    settings: { enablePush: false, maxHeaderListSize: maxHeaderBytes },
    maxHeaderListPairs: maxFields,
  });
  try {
    return await new Http2Exchange({ session, ended, options }).run(request);
  } finally {
    session.destroy();
  }
}

interface Http2Parts {
  readonly session: ClientHttp2Session;
  readonly ended: EndedStreams;
  readonly options: ExchangeOptions;
}

type Head = Pick<HttpResponse, 'status' | 'fields' | 'headers' | 'headerBytes'>;

/** One request and its response. */
class Http2Exchange {
  readonly #parts: Http2Parts;
  readonly #response = Promise.withResolvers<HttpResponse>();
  readonly #body = new GrowingBuffer();
  readonly #sentMs: number;
  #head: Head | undefined;
  #trailers: Headers | undefined;
  #firstByteMs = 0;
  #interimResponses = 0;

  constructor(parts: Http2Parts) {
    this.#parts = parts;
    this.#sentMs = parts.options.clock.monotonic();
  }

  async run(request: Http2Request): Promise<HttpResponse> {
    const { session, options } = this.#parts;
    const { signal, peer } = options;
    const onAbort = (): void =>
      this.#response.reject(abortError(signal, `${this.#head ? 'Reading' : 'Waiting for'} the response of ${peer}`));
    session.on('error', (error) => this.#fail(error));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else this.#send(request);
    return await this.#response.promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  #send(request: Http2Request): void {
    const stream = this.#parts.session.request(fieldsOf(request), { endStream: request.body === undefined });
    stream
      .on('response', (fields, _flags, raw) => this.#onHead(fields, raw))
      .on('headers', () => this.#onInterim())
      .on('trailers', (_fields, _flags, raw) => (this.#trailers = headOf(0, raw).headers))
      .on('data', (chunk: Buffer) => this.#onData(chunk))
      .on('error', (error) => this.#fail(error))
      .once('end', () => this.#onEnd(stream))
      .once('close', () => this.#response.reject(this.#incomplete()));
    if (request.body !== undefined) stream.end(request.body);
  }

  #onHead(fields: IncomingHttpHeaders, raw: readonly string[]): void {
    this.#firstByteMs = this.#elapsedMs();
    this.#head = headOf(Number(fields[':status']), raw);
    if (this.#head.headerBytes > maxHeaderBytes) this.#refuse(`headers of at most ${maxHeaderBytes} bytes together`);
  }

  #onInterim(): void {
    this.#interimResponses++;
    if (this.#interimResponses > maxInterimResponses)
      this.#refuse(`at most ${maxInterimResponses} interim (1xx) responses`);
  }

  #onData(chunk: Buffer): void {
    const room = this.#parts.options.maxBodyBytes - this.#body.length;
    this.#body.append(chunk.subarray(0, room));
    if (chunk.length > room) this.#complete(true);
  }

  /** Node ends a stream also when it was reset or its connection was lost; only END_STREAM says that the response is whole. */
  #onEnd({ id, rstCode }: ClientHttp2Stream): void {
    const isWhole = id !== undefined && this.#parts.ended.has(id);
    if (isWhole && rstCode === constants.NGHTTP2_NO_ERROR) this.#complete(false);
  }

  #complete(isCut: boolean): void {
    const head = this.#head;
    if (!head) return;
    this.#response.resolve({
      ...head,
      ...(this.#trailers && { trailers: this.#trailers }),
      version: '2',
      // The protocol no longer carries the text by which people know a status.
      statusText: STATUS_CODES[head.status] ?? '',
      body: this.#body.bytes(),
      isCut,
      codings: contentCodings(head.headers),
      oddities: [],
      firstByteMs: this.#firstByteMs,
      transferMs: this.#elapsedMs() - this.#firstByteMs,
    });
  }

  #refuse(what: string): void {
    const { peer } = this.#parts.options;
    this.#response.reject(new Failure('too-large', `The response of ${peer}: expected ${what}, got more.`));
  }

  #fail(error: Error): void {
    const { peer } = this.#parts.options;
    const { code = '' } = error as NodeJS.ErrnoException;
    this.#response.reject(
      code.startsWith('ERR_HTTP2_')
        ? new Failure('protocol', `HTTP/2 with ${peer} broke: ${error.message}.`, { cause: error })
        : streamFailure(error, `Talking to ${peer}`),
    );
  }

  #incomplete(): Failure {
    return new Failure('closed', `${this.#parts.options.peer} closed the stream before its response was complete.`);
  }

  #elapsedMs(): number {
    return this.#parts.options.clock.monotonic() - this.#sentMs;
  }
}

/** Node writes header values a character a byte; ours are text, sent as UTF-8. */
function fieldsOf({
  method,
  target,
  scheme = 'https',
  headers: { host, ...headers },
  body,
}: Http2Request): Record<string, string> {
  const length = contentLength({ method, body });
  const values = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text).toString('latin1')] as const);
  return {
    ':method': method,
    ':path': target,
    ':scheme': scheme,
    ':authority': host ?? '',
    ...Object.fromEntries(values),
    ...(length !== undefined && { 'content-length': String(length) }),
  };
}

/** `raw` holds names and values in turn. */
function headOf(status: number, raw: readonly string[]): Head {
  const fields: HeaderField[] = [];
  let headerBytes = 0;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name = '', value = ''] = [raw[index], raw[index + 1]];
    if (name.startsWith(':')) continue;
    fields.push([name, value]);
    headerBytes += name.length + value.length;
  }
  return { status, fields, headers: headersOf(fields), headerBytes };
}
