import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import type { z } from 'zod';
import type { Cancel, Clock } from '../core/clock.ts';
import { decodeFrame, ProtocolError } from './frames.ts';
import type { ProtocolErrorCode } from './messages.ts';

/** More than this unsent, and the other side is not keeping up: the connection ends, and what matters waits in the spool. */
const maxUnsentBytes = 4 * 1024 * 1024;
const stallLimitMs = 30_000;
const stallLookMs = 5000;
/** RFC 6455, section 7.4.1. */
const closeCode = { normal: 1000, protocolError: 1002, policy: 1008, tryAgainLater: 1013 } as const;

export interface ChannelEvents<Incoming> {
  /** Messages come one by one: the next is read when the promise of this one is settled. */
  onMessage(message: Incoming): Promise<void> | void;
  /** Once, whichever side ended it; `error` says what the other side did wrong or what broke. */
  onClose(error: Error | undefined): void;
}

interface ChannelParts<Incoming> {
  readonly socket: WebSocket;
  readonly incoming: z.ZodType<Incoming>;
  readonly clock: Clock;
  readonly events: ChannelEvents<Incoming>;
}

/** Typed messages over one WebSocket, bounded both ways. */
export class Channel<Incoming, Outgoing extends { readonly type: string }> {
  readonly #parts: ChannelParts<Incoming>;
  readonly #stopLooking: Cancel;
  #handling: Promise<void> = Promise.resolve();
  #closed = false;
  #error: Error | undefined;

  constructor(parts: ChannelParts<Incoming>) {
    this.#parts = parts;
    const { socket } = parts;
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    socket.on('error', (error) => (this.#error ??= error));
    socket.once('close', () => this.#onClosed());
    this.#stopLooking = this.#lookForStalls();
  }

  /** What is sent and not yet taken by the network. */
  get unsentBytes(): number {
    return this.#parts.socket.bufferedAmount;
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  send(message: Outgoing): void {
    this.sendFrame(JSON.stringify(message));
  }

  /** Sends, or ends the connection if the other side does not keep up. After the end it does nothing. */
  sendFrame(frame: string): void {
    if (this.#closed) return;
    const { socket } = this.#parts;
    if (socket.bufferedAmount > maxUnsentBytes)
      return this.#fail(new Error('the other side does not keep up'), closeCode.tryAgainLater);
    socket.send(frame);
  }

  close(): void {
    this.#parts.socket.close(closeCode.normal);
  }

  /** Ends at once, without waiting for the other side. */
  terminate(): void {
    this.#parts.socket.terminate();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const { socket } = this.#parts;
    socket.pause();
    this.#handling = this.#handling.then(() => this.#handle(data, isBinary)).finally(() => socket.resume());
  }

  async #handle(data: Buffer, isBinary: boolean): Promise<void> {
    if (this.#error) return;
    try {
      if (isBinary) throw new ProtocolError('bad-frame', 'expected text, got a binary frame');
      await this.#parts.events.onMessage(decodeFrame(this.#parts.incoming, data.toString()));
    } catch (error) {
      if (error instanceof ProtocolError) this.reject(error.code, error.message);
      else this.#fail(error instanceof Error ? error : new Error(String(error)), closeCode.tryAgainLater);
    }
  }

  /** Tells the other side what it did wrong, and ends the connection. */
  reject(code: ProtocolErrorCode, message: string): void {
    if (this.#closed) return;
    this.#parts.socket.send(JSON.stringify({ type: 'error', code, message }));
    this.#fail(new ProtocolError(code, message), closeCode.policy);
  }

  #fail(error: Error, code: number): void {
    this.#error ??= error;
    this.#parts.socket.close(code);
    // A peer that does not answer the close is not waited for.
    this.#parts.clock.after(1000, () => this.#parts.socket.terminate());
  }

  /** A peer that takes nothing for this long is gone, whatever TCP believes. */
  #lookForStalls(): Cancel {
    const { socket, clock } = this.#parts;
    let movedAt = clock.monotonic();
    let unsent = 0;
    let cancel: Cancel | undefined;
    const look = (): void => {
      if (socket.bufferedAmount === 0 || socket.bufferedAmount < unsent) movedAt = clock.monotonic();
      unsent = socket.bufferedAmount;
      if (clock.monotonic() - movedAt > stallLimitMs) return this.terminate();
      cancel = clock.after(stallLookMs, look);
    };
    cancel = clock.after(stallLookMs, look);
    return () => cancel?.();
  }

  #onClosed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopLooking();
    // What was received before the end is handled before the end is told.
    void this.#handling.finally(() => this.#parts.events.onClose(this.#error));
  }
}

/** What ties signatures to this very TLS connection (RFC 9266); empty without TLS. */
export function channelBinding(socket: Socket): string {
  if (!(socket instanceof TLSSocket)) return '';
  return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)).toString('base64url');
}

/** The same for an open WebSocket. */
export function channelBindingOf(socket: WebSocket): string {
  // `ws` has no public name for the socket below.
  const { _socket: underlying } = socket as WebSocket & { readonly _socket: Socket };
  return channelBinding(underlying);
}
