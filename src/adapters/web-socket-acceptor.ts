import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Line } from '../protocol/line.ts';
import { agentPath } from '../protocol/messages.ts';
import { socketOptions, WebSocketLine } from './web-socket-line.ts';

/** A caller that may come in. */
export interface Admission {
  /** It may send no more than this until `onSettled`. */
  readonly limitBytes: number;
  /** Called when it has said who it is, and when it is gone. */
  readonly onSettled: () => void;
}

/** An open line of a caller. `settle` lifts the limit of its admission. */
export interface Caller {
  readonly line: Line;
  readonly address: string;
  readonly settle: () => void;
}

interface AcceptorPorts {
  /** Undefined refuses the caller. */
  admit(address: string): Admission | undefined;
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
    const address = request.socket.remoteAddress ?? 'unknown';
    // Nobody else listens for it from here on, and an error that nobody listens for would end the process.
    socket.on('error', () => socket.destroy());
    if (request.url !== agentPath) return refuse(socket, '404 Not Found');
    const admission = this.#ports.admit(address);
    if (!admission) return refuse(socket, '503 Service Unavailable');
    // The upgrade of a caller that has gone, or that asks wrongly, comes to nothing without a word.
    socket.once('close', admission.onSettled);
    this.#acceptor.handleUpgrade(request, socket, head, (webSocket) => {
      const stopCounting = limitBytes(socket, admission.limitBytes);
      const settle = (): void => {
        stopCounting();
        admission.onSettled();
      };
      this.#ports.onLine({ line: new WebSocketLine(webSocket), address, settle });
    });
  }
}

/** Says no, and does not wait for the other side to hang up. */
function refuse(socket: Duplex, status: '404 Not Found' | '503 Service Unavailable'): void {
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
