import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { maxFrameBytes } from '../protocol/frames.ts';
import type { Dialler, Line, LineEvents } from '../protocol/line.ts';

/** How every WebSocket of the protocol is opened, on either side. */
export const socketOptions = {
  maxPayload: maxFrameBytes,
  perMessageDeflate: false,
  // The channel answers pings: who sends pings and reads no answers must not fill our memory with them.
  autoPong: false,
} as const;

/** A line over an open WebSocket. */
export class WebSocketLine implements Line {
  readonly channelBinding: string;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.channelBinding = channelBindingOf(socket);
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  listen(events: LineEvents): void {
    // With the type `nodebuffer`, which is the default, every message is one Buffer.
    this.#socket.on('message', (data, isBinary) => events.onFrame(data as Buffer, !isBinary));
    this.#socket.on('ping', (data) => events.onPing(data));
    this.#socket.on('error', (error) => events.onError(error));
    this.#socket.once('close', () => events.onClose());
  }

  send(frame: string, onSettled: () => void): void {
    this.#socket.send(frame, onSettled);
  }

  ping(): void {
    this.#socket.ping();
  }

  pong(data: Buffer): void {
    this.#socket.pong(data);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(code: number): void {
    this.#socket.close(code);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

/** Dials by WebSocket. The certificate of the other side is not verified: the greeting's signature over this very connection is the proof. */
export const webSocketDialler: Dialler = {
  dial(url, limitMs, { onOpen, onFailed, onAddress }) {
    const socket = new WebSocket(url, {
      rejectUnauthorized: false,
      // Older versions weaken what ties the signatures to this connection (RFC 9266).
      minVersion: 'TLSv1.3',
      handshakeTimeout: limitMs,
      finishRequest: (request) => finish(request, onAddress),
      ...socketOptions,
    });
    let failure: Error | undefined;
    let isOpened = false;
    socket.once('error', (error) => (failure = explained(error)));
    socket.once('open', () => {
      isOpened = true;
      onOpen(new WebSocketLine(socket));
    });
    socket.once('close', () => isOpened || onFailed(failure));
    return () => socket.terminate();
  },
};

/** An HTTP answer in place of a line: something else listens there, or a proxy that ends TLS has answered itself. */
function explained(error: Error): Error {
  const [, status] = /^Unexpected server response: (\d+)$/.exec(error.message) ?? [];
  if (status === undefined) return error;
  const what = `HTTP status ${status} was answered where a line for agents was expected`;
  const why = 'no Watchkeeper server listens there, or a proxy does not pass TLS through to it (docs/proxies.md)';
  return new Error(`${what}: ${why}`, { cause: error });
}

function finish(request: ClientRequest, onAddress: ((address: string) => void) | undefined): void {
  request.once('socket', (socket) => {
    socket.on('lookup', (error: Error | null, address: string) => error ?? onAddress?.(address));
  });
  request.end();
}

export function channelBindingOf(socket: WebSocket): string {
  // `ws` has no public name for the socket below.
  const { _socket: underlying } = socket as WebSocket & { readonly _socket: Socket };
  return channelBinding(underlying);
}

/** Ties signatures to this very TLS connection (RFC 9266); empty without TLS. */
export function channelBinding(socket: Socket): string {
  if (!(socket instanceof TLSSocket)) return '';
  return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)).toString('base64url');
}
