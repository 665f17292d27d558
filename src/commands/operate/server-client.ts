import { request, type IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { AppError, type ErrorCode } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { readEvents, type StreamEvent } from './event-stream.ts';
import type { ServerLine } from './server-line.ts';

const maxAnswerBytes = 256 * 1024 * 1024;
const patienceMs = 30_000;
/** Three times what the server leaves between signs of life. */
const silenceLimitMs = 45_000;

interface Ask {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Under /api/v1. */
  readonly path: string;
  readonly body?: unknown;
  /** How long the server may say nothing. */
  readonly silenceMs?: number;
  readonly signal?: AbortSignal;
  /** Of the last event that came; empty for none. */
  readonly lastId?: string;
}

/** Asks a server by its HTTP interface. Every method throws an AppError, the server's own where it answered. */
export class ServerClient {
  readonly #line: ServerLine;

  constructor(line: ServerLine) {
    this.#line = line;
  }

  get name(): string {
    return this.#line.name;
  }

  async get<Schema extends z.ZodType>(path: string, schema: Schema, silenceMs = patienceMs): Promise<z.output<Schema>> {
    return this.#parsed(await this.#json({ method: 'GET', path, silenceMs }), schema);
  }

  async post<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    more: Pick<Ask, 'body' | 'silenceMs'> = {},
  ): Promise<z.output<Schema>> {
    return this.#parsed(await this.#json({ method: 'POST', path, ...more }), schema);
  }

  async delete<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    return this.#parsed(await this.#json({ method: 'DELETE', path }), schema);
  }

  /** The bytes of an answer, as they come; throws when they end too early. */
  async *download(path: string, silenceMs: number): AsyncGenerator<Uint8Array> {
    const response = await this.#ask({ method: 'GET', path, silenceMs });
    try {
      yield* response as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw this.#lost(error);
    } finally {
      response.destroy();
    }
  }

  /** What happens, after the event of this id or from the moment that `onOpen` is called. Ends when the server ends it, throws when the line is lost. */
  async *events(onOpen: () => Promise<void>, signal: AbortSignal, lastId: string): AsyncGenerator<StreamEvent> {
    const response = await this.#ask({
      method: 'GET',
      path: '/events?snapshot=false',
      silenceMs: silenceLimitMs,
      signal,
      lastId,
    });
    await onOpen();
    try {
      yield* readEvents(response);
    } catch (error) {
      throw this.#lost(error);
    } finally {
      response.destroy();
    }
  }

  async #json(ask: Ask): Promise<unknown> {
    const response = await this.#ask(ask);
    try {
      return JSON.parse(await textOf(response));
    } catch (error) {
      throw error instanceof SyntaxError ? this.#stranger('JSON') : this.#lost(error);
    }
  }

  /** The answer, if it is a good one. */
  async #ask({ method, path, body, silenceMs = patienceMs, signal, lastId = '' }: Ask): Promise<IncomingMessage> {
    const { host, token } = this.#line;
    const socket = await this.#line.open();
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        Host: host,
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(lastId !== '' && { 'Last-Event-ID': lastId }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      };
      const asked = request({
        createConnection: () => socket,
        method,
        path: `/api/v1${path}`,
        headers,
        ...(signal && { signal }),
      });
      let listening: { destroy(error: Error): unknown } = asked;
      asked.once('error', (error) => reject(this.#lost(error)));
      asked.once('response', (response) => {
        // From now on it is whoever reads the answer who is to hear of the silence.
        listening = response;
        resolve(response);
      });
      socket.setTimeout(silenceMs, () => listening.destroy(new Error(`no word for ${silenceMs / 1000} s`)));
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
    if (response.statusCode === 200 || response.statusCode === 201) return response;
    throw this.#refusal(response.statusCode ?? 0, await textOf(response).catch(() => ''));
  }

  #parsed<Schema extends z.ZodType>(answer: unknown, schema: Schema): z.output<Schema> {
    const { success, data, error } = schema.safeParse(answer);
    if (success) return data;
    const [issue] = error.issues;
    throw this.#stranger(`its answer to be as this version knows it (${issue?.path.join('.')}: ${issue?.message})`);
  }

  #refusal(status: number, text: string): AppError {
    const { code, message } = errorIn(text) ?? {};
    if (status === 401)
      return new AppError('usage', `${this.name} refuses the token: expected that of its file api-token`);
    if (message === undefined) return this.#stranger(`a Watchkeeper server, got status ${status}`);
    const known: readonly ErrorCode[] = ['usage', 'invalid-config', 'not-found', 'conflict'];
    // A bug of the server is no bug of this program.
    return new AppError(known.find((one) => one === code) ?? 'unavailable', printable(message));
  }

  #stranger(expected: string): AppError {
    return new AppError('unavailable', `${this.name} answers strangely: expected ${expected}`);
  }

  #lost(error: unknown): AppError {
    if (error instanceof AppError) return error;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ECONNRESET' ? 'the other side closed it' : message;
    return new AppError('unavailable', `the line to ${this.name} was lost: ${why}`, { cause: error });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error(`expected at most ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What a problem (RFC 9457) says. */
function errorIn(text: string): { readonly code: string; readonly message: string } | undefined {
  try {
    const { code, detail } = JSON.parse(text) as { code?: unknown; detail?: unknown };
    return typeof code === 'string' && typeof detail === 'string' ? { code, message: detail } : undefined;
  } catch {
    return undefined;
  }
}
