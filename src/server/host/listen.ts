import { chmodSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { AppError } from '../../core/errors.ts';
import { repeatedHeader } from '../../core/request-headers.ts';
import { formatEndpoint } from '../../core/target.ts';
import { oneAtATime } from './one-at-a-time.ts';

export interface Listener {
  readonly server: Server;
  close(): Promise<void>;
}

export interface TcpListener extends Listener {
  /** Where it listens; 0.0.0.0 or :: for everywhere. */
  readonly address: string;
  readonly port: number;
  /** New connections see this certificate; false if TLS would begin or end, which needs a new listener. @throws for a pair that is none */
  renew(material: TlsMaterial | undefined): boolean;
}

interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
}

/** Slow requests end; those are the defaults of Node, said so that they stay. */
const limits = { headersTimeout: 60_000, requestTimeout: 300_000, maxHeaderSize: 16 * 1024 } as const;
const tlsHandshakeTimeout = 10_000;

/** Listens for people, programs and agents. @throws {AppError} unavailable, when the address is taken or not ours */
export async function listenTcp(
  app: Hono,
  { host, port, tls }: { host: string; port: number; tls?: TlsMaterial | undefined },
): Promise<TcpListener> {
  const handle = oneAtATime(refusingAmbiguous(getRequestListener(app.fetch)));
  const secure = tls && secureServer(tls, handle);
  const server = secure ?? createServer(limits, handle);
  const renew = (material: TlsMaterial | undefined): boolean => {
    if (secure && material) usable(() => secure.setSecureContext(contextOf(material)));
    return (secure === undefined) === (material === undefined);
  };
  await opened(server, () => server.listen({ host, port }), formatEndpoint({ host, port }));
  // A TCP server that listens has an address.
  const { address, port: bound } = server.address() as AddressInfo;
  return { server, address, port: bound, renew, close: () => closed(server) };
}

/** RFC 9112, section 3.2: a request with two Host lines is answered 400, whoever of those before us read which. */
function refusingAmbiguous(handle: RequestListener): RequestListener {
  return (request, response) => {
    const header = repeatedHeader(request.rawHeaders);
    if (header === undefined) return handle(request, response);
    const detail = `expected one header ${header}, got several`;
    response.writeHead(400, { 'Content-Type': 'application/problem+json', Connection: 'close' });
    response.end(JSON.stringify({ type: 'about:blank', title: 'Bad Request', status: 400, detail, code: 'usage' }));
  };
}

/** TLS 1.3 alone: what both sides sign is bound to the connection by its exporter (RFC 9266), which older versions weaken. */
function contextOf({ certificate, key }: TlsMaterial) {
  return { cert: certificate, key, minVersion: 'TLSv1.3' } as const;
}

function secureServer(tls: TlsMaterial, handle: RequestListener): TlsServer {
  return usable(() => createTlsServer({ ...limits, ...contextOf(tls), handshakeTimeout: tlsHandshakeTimeout }, handle));
}

function usable<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    const why = `tls: certificate and key cannot be used: ${(error as Error).message}`;
    throw new AppError('invalid-config', `${why}; expected a PEM certificate and the key that belongs to it`, {
      cause: error,
    });
  }
}

/** Listens on a socket in the data folder that only its owner may open. A socket that a killed server left is replaced. */
export async function listenAdmin(app: Hono, path: string): Promise<Listener> {
  rmSync(path, { force: true });
  const server = createServer(limits, oneAtATime(getRequestListener(app.fetch)));
  const mask = process.umask(0o177);
  try {
    await opened(server, () => server.listen(path), path);
    chmodSync(path, 0o600);
  } finally {
    process.umask(mask);
  }
  return { server, close: () => closed(server) };
}

function opened(server: Server, listen: () => void, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', () => resolve());
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new AppError(
          'unavailable',
          `cannot listen on ${where} (${error.code ?? error.message}); --listen HOST:PORT chooses another address`,
          { cause: error },
        ),
      ),
    );
    listen();
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
