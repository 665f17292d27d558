import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { unmapped } from '../core/target.ts';
import { repeatedHeader } from '../core/request-headers.ts';
import type { Line } from '../protocol/line.ts';
import { agentPath } from '../protocol/messages.ts';
import type { ConnectionGuard } from './connection-guard.ts';
import { socketOptions, WebSocketLine } from './web-socket-line.ts';

/** An open line of a caller. */
export interface Caller {
  readonly line: Line;
  readonly address: string;
  /** To be called when the caller begins to prove who it is: its connection is then not closed to make room for others. */
  readonly onHello: () => void;
  /** To be called when the caller has proved who it is, which lifts the limits of strangers. */
  readonly onTrusted: () => void;
}

interface AcceptorPorts {
  /** Knows the place of every connection of the HTTP server. */
  readonly guard: ConnectionGuard;
  /** How many bytes a caller may send before it has proved who it is. */
  readonly strangerBytes: number;
  /** Where a request came from; the other end of its connection if absent. */
  readonly addressOf?: (request: IncomingMessage) => string;
  onLine(caller: Caller): void;
}

/** Takes the lines that others open to an HTTP server of ours. */
export class WebSocketAcceptor {
  readonly #ports: AcceptorPorts;
  readonly #acceptor = new WebSocketServer({ noServer: true, ...socketOptions });

  constructor(ports: AcceptorPorts) {
    this.#ports = ports;
  }

  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  close(): void {
    this.#acceptor.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = this.#ports.addressOf?.(request) ?? unmapped(request.socket.remoteAddress ?? 'unknown');
    // Nobody else listens for it from here on, and an error that nobody listens for would end the process.
    socket.on('error', () => socket.destroy());
    if (request.url !== agentPath) return refuse(socket, '404 Not Found');
    if (repeatedHeader(request.rawHeaders) !== undefined) return refuse(socket, '400 Bad Request');
    // Only browsers send it, for a page that somebody has open: no agent is one (RFC 6455, section 10.2).
    if (request.headers.origin !== undefined) return refuse(socket, '403 Forbidden');
    const { guard, strangerBytes } = this.#ports;
    const place = guard.placeOf(request);
    this.#acceptor.handleUpgrade(request, socket, head, (webSocket) => {
      const stopCounting = limitBytes(socket, strangerBytes);
      this.#ports.onLine({
        line: new WebSocketLine(webSocket),
        address,
        onHello: () => place?.hold(),
        onTrusted: () => {
          stopCounting();
          place?.trust();
        },
      });
    });
  }
}

/** Says no, and does not wait for the other side to hang up. */
function refuse(socket: Duplex, status: '400 Bad Request' | '403 Forbidden' | '404 Not Found'): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Destroys the socket when it has received more, until what is returned is called. */
function limitBytes(socket: Duplex, limit: number): () => void {
  let received = 0;
  const count = (chunk: Buffer): void => {
    received += chunk.length;
    if (received > limit) socket.destroy();
  };
  socket.on('data', count);
  return () => socket.off('data', count);
}
