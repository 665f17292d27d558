import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { AppError } from '../core/errors.ts';
import { formatEndpoint } from '../core/target.ts';
import { maxFrameBytes } from '../protocol/frames.ts';
import { ConnectionGuard } from './connection-guard.ts';
import { WebSocketAcceptor, type Caller } from './web-socket-acceptor.ts';

interface ListenerParts {
  readonly host: string;
  readonly port: number;
  /** PEM; without it the line is not encrypted, which is for loopback only. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  readonly adopt: (caller: Caller) => Promise<unknown>;
}

/** One server calls; its tries and those of strangers together need no more. */
const limits = { all: 64, strangers: 48, perNetwork: 32 };

/** Where an agent that is called takes the server's connection. */
export class AgentListener {
  readonly #server: Server;
  readonly #acceptor: WebSocketAcceptor;
  readonly #parts: ListenerParts;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    const { tls, adopt } = parts;
    this.#server = tls
      ? createTlsServer({ cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.3' })
      : createServer();
    this.#server.on('request', (_request, response) => response.writeHead(404, { Connection: 'close' }).end());
    const guard = new ConnectionGuard({ limits, onCrowded: () => {} });
    guard.attach(this.#server);
    this.#acceptor = new WebSocketAcceptor({
      guard,
      strangerBytes: maxFrameBytes,
      onLine: (caller) => void adopt(caller),
    });
    this.#acceptor.attach(this.#server);
  }

  /** @throws {AppError} unavailable */
  start(): Promise<void> {
    const { host, port } = this.#parts;
    return new Promise((resolve, reject) => {
      this.#server.once('listening', () => resolve());
      this.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new AppError(
            'unavailable',
            `cannot listen on ${formatEndpoint({ host, port })}: ${error.code ?? error.message}`,
            {
              cause: error,
            },
          ),
        ),
      );
      this.#server.listen({ host, port });
    });
  }

  stop(): void {
    this.#acceptor.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
