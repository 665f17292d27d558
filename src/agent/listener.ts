import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { AppError } from '../core/errors.ts';
import { refuseUpgrade, socketOptions } from '../protocol/channel.ts';
import { agentPath } from '../protocol/messages.ts';

interface ListenerParts {
  readonly host: string;
  readonly port: number;
  /** PEM; without it the line is not encrypted, which is for loopback only. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  readonly adopt: (socket: WebSocket, address: string) => Promise<unknown>;
}

/** Where an agent that is called takes the server's connection. */
export class AgentListener {
  readonly #server: Server;
  readonly #acceptor = new WebSocketServer({ noServer: true, ...socketOptions });
  readonly #parts: ListenerParts;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    const { tls } = parts;
    this.#server = tls ? createTlsServer({ cert: tls.certificate, key: tls.key }) : createServer();
    this.#server.on('request', (_request, response) => response.writeHead(404, { Connection: 'close' }).end());
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  /** @throws {AppError} unavailable */
  start(): Promise<void> {
    const { host, port } = this.#parts;
    return new Promise((resolve, reject) => {
      this.#server.once('listening', () => resolve());
      this.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new AppError('unavailable', `cannot listen on ${host}:${port}: ${error.code ?? error.message}`, {
            cause: error,
          }),
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

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Nobody else listens for it from here on, and an error that nobody listens for would end the agent.
    socket.on('error', () => socket.destroy());
    if (request.url !== agentPath) return refuseUpgrade(socket, '404 Not Found');
    this.#acceptor.handleUpgrade(request, socket, head, (webSocket) => {
      void this.#parts.adopt(webSocket, request.socket.remoteAddress ?? 'unknown');
    });
  }
}
