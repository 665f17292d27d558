import type { z } from 'zod';
import type { Cancel, Clock } from '../core/clock.ts';
import { decodeFrame, ProtocolError } from './frames.ts';
import type { Line } from './line.ts';
import { turn } from './turns.ts';
import { heartbeatIntervalMs, type ErrorMessage, type ProtocolErrorCode } from './messages.ts';

/** Beyond this many unsent bytes the other side is too slow and the connection ends; unsent entries are still in the spool. */
const maxUnsentBytes = 4 * 1024 * 1024;
const stallLimitMs = 30_000;
/** Both sides send at least once a heartbeat interval; after three silent ones the line is dead, whatever TCP says. */
const silenceLimitMs = 3 * heartbeatIntervalMs;
const watchIntervalMs = 1000;
/** Time for the other side to answer our close; well within the second that a revocation may take. */
const closeLimitMs = 500;
/** RFC 6455, section 7.4.1. */
const closeCode = { normal: 1000, policy: 1008, tryAgainLater: 1013 } as const;

interface Message {
  readonly type: string;
}

export interface ChannelEvents<Incoming> {
  /** Called for one message at a time; the next is read when the returned promise settles. */
  onMessage(message: Incoming, bytes: number): Promise<void> | void;
  /** Called once, whichever side ended the connection; `error` says what the other side did wrong or what broke. */
  onClose(error: Error | undefined): void;
}

interface ChannelParts<Incoming extends Message> {
  readonly line: Line;
  readonly incoming: z.ZodType<Incoming | ErrorMessage>;
  readonly clock: Clock;
  readonly events: ChannelEvents<Incoming>;
}

/** Typed messages over one line, bounded both ways. Ends by itself when the other side is silent, stalls or speaks wrongly. */
export class Channel<Incoming extends Message, Outgoing extends Message> {
  readonly #parts: ChannelParts<Incoming>;
  readonly #cancelWatch: Cancel;
  #cancelEnd: Cancel = () => {};
  #handling: Promise<void> = Promise.resolve();
  /** Messages received and not yet handled. */
  #waiting = 0;
  #heardMs: number;
  #isClosed = false;
  #error: Error | undefined;

  constructor(parts: ChannelParts<Incoming>) {
    this.#parts = parts;
    const { line, clock } = parts;
    this.#heardMs = clock.monotonic();
    line.listen({
      onFrame: (frame, isText) => this.#receive(frame, isText),
      onPing: (data) => this.#answerPing(data),
      onError: (error) => (this.#error ??= asProtocolError(error)),
      onClose: () => this.#onClosed(),
    });
    this.#cancelWatch = this.#watch();
  }

  /** What is sent and not yet taken by the network. */
  get unsentBytes(): number {
    return this.#parts.line.unsentBytes;
  }

  send(message: Outgoing): void {
    this.sendFrame(JSON.stringify(message));
  }

  /** Sends and resolves when the network has taken the message or the connection has ended; for messages that would exceed the unsent limit together. */
  deliver(message: Outgoing): Promise<void> {
    return new Promise((resolve) => this.sendFrame(JSON.stringify(message), resolve));
  }

  /** Sends, or ends the connection if the other side does not keep up. After the end it does nothing. */
  sendFrame(frame: string, onSettled: () => void = () => {}): void {
    const { line } = this.#parts;
    if (this.#error || !line.isOpen) return onSettled();
    if (line.unsentBytes <= maxUnsentBytes) return line.send(frame, onSettled);
    this.#fail(new Error('the other side does not keep up'));
    onSettled();
  }

  /** Closes normally (code 1000). */
  close(): void {
    this.#end(closeCode.normal);
  }

  /** Ends at once, without waiting for the other side. */
  terminate(): void {
    this.#parts.line.terminate();
  }

  /** Tells the other side what is wrong, and ends the connection; `cause` is what our side is told. */
  reject(code: ProtocolErrorCode, message: string, cause: Error = new ProtocolError(code, message)): void {
    this.sendFrame(JSON.stringify({ type: 'error', code, message } satisfies ErrorMessage));
    this.#error ??= cause;
    this.#end(code === 'unavailable' ? closeCode.tryAgainLater : closeCode.policy);
  }

  /** Ends the connection because handling a message threw. */
  abandon(error: unknown): void {
    if (error instanceof ProtocolError) return this.reject(error.code, error.message);
    // Details of our own failure go to our log, not to the other side.
    const cause = error instanceof Error ? error : new Error(String(error));
    this.reject('unavailable', 'the message could not be handled; it may be sent again later', cause);
  }

  #receive(frame: Buffer, isText: boolean): void {
    const { line } = this.#parts;
    // Frames of the current read still arrive; reading resumes when they are handled.
    this.#waiting++;
    line.pause();
    this.#handling = this.#handling
      .then(() => this.#handle(frame, isText))
      .finally(() => --this.#waiting === 0 && line.resume());
  }

  async #handle(frame: Buffer, isText: boolean): Promise<void> {
    await turn();
    if (this.#error) return;
    try {
      if (!isText) throw new ProtocolError('bad-frame', 'expected text, got a binary frame');
      const message = decodeFrame(this.#parts.incoming, frame.toString());
      if (isErrorMessage(message)) return this.#fail(otherSideSays(message));
      await this.#parts.events.onMessage(message, frame.length);
      this.#heardMs = this.#parts.clock.monotonic();
    } catch (error) {
      this.abandon(error);
    }
  }

  #answerPing(data: Buffer): void {
    this.#heardMs = this.#parts.clock.monotonic();
    // Only the latest ping needs an answer (RFC 6455, section 5.5.3), so none is queued behind unsent bytes.
    if (this.unsentBytes === 0 && this.#parts.line.isOpen) this.#parts.line.pong(data);
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#end(closeCode.tryAgainLater);
  }

  #end(code: number): void {
    this.#parts.line.close(code);
    this.#cancelEnd();
    if (!this.#isClosed) this.#cancelEnd = this.#parts.clock.after(closeLimitMs, () => this.terminate());
  }

  #watch(): Cancel {
    const { clock } = this.#parts;
    let movedMs = clock.monotonic();
    let unsentBytes = 0;
    let cancel: Cancel | undefined;
    const look = (): void => {
      const nowMs = clock.monotonic();
      if (this.unsentBytes === 0 || this.unsentBytes < unsentBytes) movedMs = nowMs;
      unsentBytes = this.unsentBytes;
      if (nowMs - movedMs > stallLimitMs) return this.#giveUp('the other side takes nothing');
      // While a message is handled nothing is read: then we are the slow side, and a ping tells the other that we are alive.
      if (this.#waiting > 0) this.#sayAlive();
      else if (nowMs - this.#heardMs > silenceLimitMs) return this.#giveUp('the other side is silent');
      cancel = clock.after(watchIntervalMs, look);
    };
    cancel = clock.after(watchIntervalMs, look);
    return () => cancel?.();
  }

  #sayAlive(): void {
    if (this.unsentBytes === 0 && this.#parts.line.isOpen) this.#parts.line.ping();
  }

  #giveUp(why: string): void {
    this.#error ??= new Error(why);
    this.terminate();
  }

  #onClosed(): void {
    this.#isClosed = true;
    this.#cancelWatch();
    this.#cancelEnd();
    // Frames received before the end are handled before the end is reported.
    void this.#handling.finally(() => this.#parts.events.onClose(this.#error));
  }
}

function otherSideSays({ code, message }: ErrorMessage): ProtocolError {
  return new ProtocolError(code, `the other side says: ${message}`, { quotesOther: true });
}

function isErrorMessage(message: Message): message is ErrorMessage {
  return message.type === 'error';
}

/** A frame that `ws` itself rejects (RFC 6455: masks, UTF-8, opcodes, size) is a bad frame like any other. */
function asProtocolError(error: Error): Error {
  const { code } = error as NodeJS.ErrnoException;
  return code?.startsWith('WS_ERR_') ? new ProtocolError('bad-frame', error.message) : error;
}
