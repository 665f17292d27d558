import type { IncomingMessage, ServerResponse } from 'node:http';
import { httpServer, type HttpTestServer } from './http-server.ts';

export interface ProviderRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ProviderAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is a text. */
  readonly body?: unknown;
}

/** Answers a request, or does what it likes with the response. */
export type Behaviour = (request: ProviderRequest, response: ServerResponse) => ProviderAnswer | void;

/** A provider on loopback that records what it is asked. */
export interface Provider extends AsyncDisposable, Pick<HttpTestServer, 'origin' | 'port'> {
  readonly asked: readonly ProviderRequest[];
}

export async function provider(behaviour: Behaviour): Promise<Provider> {
  const asked: ProviderRequest[] = [];
  const server = await httpServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => void parts.push(part));
    request.once('end', () => {
      const { method = '', url: path = '', headers } = request;
      const recorded = { method, path, headers, body: Buffer.concat(parts).toString() };
      asked.push(recorded);
      const answer = behaviour(recorded, response);
      if (!answer) return;
      const { status = 200, headers: sent = {}, body = '' } = answer;
      const isText = typeof body === 'string';
      response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...sent });
      response.end(isText ? body : JSON.stringify(body));
    });
  });
  return {
    origin: server.origin,
    port: server.port,
    asked,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
