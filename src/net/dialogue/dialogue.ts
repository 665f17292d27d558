import type { Socket } from 'node:net';
import { z } from 'zod';
import { showBytes } from '../../core/bytes.ts';
import { Failure } from '../../core/failure.ts';
import { compilePattern, pattern } from '../../core/pattern.ts';
import { Incoming } from './incoming.ts';

const maxReceivedBytes = 65_536;

export const step = z
  .strictObject({
    send: z
      .string()
      .min(1)
      .max(65_536)
      .optional()
      .meta({ description: 'Text to send; "\\r\\n" in double quotes ends a line' }),
    expect: pattern.optional().meta({ description: 'Regular expression (RE2) to wait for in what comes' }),
    reject: pattern.optional().meta({ description: 'Regular expression (RE2) that ends the wait: the answer was no' }),
  })
  .refine(({ send, expect }) => send !== undefined || expect !== undefined, 'expected send, expect or both')
  .refine(({ expect, reject }) => reject === undefined || expect !== undefined, 'expected reject only beside expect');

/** What is sent, if anything, and then what is waited for, if anything. */
export interface Step {
  readonly send?: string | undefined;
  readonly expect?: string | undefined;
  readonly reject?: string | undefined;
}

interface Setting {
  readonly signal: AbortSignal;
  /** For messages: `mail.example:25`. */
  readonly where: string;
}

/** Talks over one connection, a step at a time; text up to the end of a match is used up by it. */
export class Dialogue {
  readonly #socket: Socket;
  readonly #incoming: Incoming;
  readonly #setting: Setting;
  /** The first that the other side said, for people; undefined if nobody waited, or nothing came. */
  greeting: string | undefined;

  constructor(socket: Socket, setting: Setting) {
    this.#socket = socket;
    this.#setting = setting;
    this.#incoming = new Incoming(socket, maxReceivedBytes);
  }

  /** @throws {Failure} assertion, timeout, closed, reset, too-large; or the signal's reason */
  async follow(steps: readonly Step[]): Promise<void> {
    for (const { send, expect, reject } of steps) {
      if (send !== undefined) this.#socket.write(send);
      if (expect !== undefined) await this.#await(expect, reject);
    }
  }

  /** Leaves the connection to a TLS handshake. @throws {Failure} protocol, when something came that nobody had asked for */
  handOver(): void {
    this.#incoming.release();
    if (this.#incoming.bytes.length === 0) return;
    const extra = JSON.stringify(showBytes(this.#incoming.bytes, 60));
    throw new Failure(
      'protocol',
      `Expected silence from ${this.#setting.where} before the TLS handshake, got ${extra}.`,
    );
  }

  async #await(expect: string, reject: string | undefined): Promise<void> {
    const { signal, where } = this.#setting;
    const incoming = this.#incoming;
    const find = (bytes: Buffer): number | undefined => {
      const end = endOfMatch(bytes, expect);
      if (end === undefined && reject !== undefined && endOfMatch(bytes, reject) !== undefined) {
        throw new Failure('assertion', `${this.#mismatch(expect)}.`);
      }
      return end;
    };
    const waiting = { signal, doing: `Waiting for /${expect}/ from ${where}` };
    try {
      const end = await incoming.until(find, waiting).finally(() => this.#noteGreeting());
      incoming.drop(end);
    } catch (error) {
      // Whatever ended the wait: that something else came tells more.
      const came = incoming.bytes.length > 0 && error instanceof Failure && error.reason !== 'too-large';
      if (!came || error.reason === 'assertion') throw error;
      throw new Failure('assertion', `${this.#mismatch(expect)}. ${error.message}`, { cause: error.cause });
    }
  }

  #noteGreeting(): void {
    const { bytes } = this.#incoming;
    if (bytes.length > 0) this.greeting ??= showBytes(bytes);
  }

  #mismatch(expect: string): string {
    return `Expected /${expect}/ from ${this.#setting.where}, got ${JSON.stringify(showBytes(this.#incoming.bytes))}`;
  }
}

/** Where the first match ends; the expressions read UTF-8. */
function endOfMatch(bytes: Buffer, source: string): number | undefined {
  const matcher = compilePattern(source).matcher(bytes);
  return matcher.find() ? matcher.end() : undefined;
}
