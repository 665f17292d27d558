import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import type { Step } from './corpus-case.ts';
import { bytesOf, fill, fillPattern, type Facts } from './placeholders.ts';

export interface ScriptContext {
  readonly facts: Facts;
  /** Says what was wrong with what came; the case fails. */
  readonly complain: (text: string) => void;
  /** Aborts when the case is over. */
  readonly signal: AbortSignal;
}

/** The other side went away, or the case is over, before the script came to its end. */
const cutShort = Symbol('cut short');

/** One connection that is served by a script. At its end the connection stays open, unless the script closes it. */
export class ScriptedConnection {
  #socket: Socket;
  readonly #context: ScriptContext;
  #received: Buffer = Buffer.alloc(0);
  /** What the last step that reads has read. */
  #read: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, context: ScriptContext) {
    this.#socket = socket;
    this.#context = context;
  }

  /** Never rejects: what goes wrong is a complaint. */
  async play(script: readonly Step[]): Promise<void> {
    for (const [index, step] of script.entries()) {
      try {
        await this.#take(step);
      } catch (error) {
        this.#socket.destroy();
        if (error !== cutShort) this.#context.complain(`step ${index + 1}: ${String(error)}`);
        else if (script.slice(index).some(({ must }) => must !== undefined))
          this.#context.complain(`the connection ended in step ${index + 1}, before a step with must`);
        return;
      }
    }
    // Reads on, so that the other side's end is noticed.
    this.#socket.resume();
  }

  async #take(step: Step): Promise<void> {
    const bytes = bytesToSend(step, this.#read, this.#context.facts);
    if (bytes) return await this.#write(bytes);
    const { until, bytes: count, untilEnd, startTls, delay, close, reset } = step;
    if (until !== undefined) this.#read = await this.#readUntil(Buffer.from(until));
    if (count !== undefined) this.#read = await this.#readBytes(count);
    if (untilEnd) this.#read = await this.#readToEnd();
    if (startTls !== undefined) this.#startTls(startTls);
    if (delay !== undefined) await pause(delay, this.#context.signal);
    if (close) this.#socket.end();
    if (reset) this.#socket.resetAndDestroy();
    assertSeen(step, this.#read, this.#context.facts);
  }

  async #write(bytes: Buffer): Promise<void> {
    const error = await new Promise<Error | null | undefined>((resolve) => this.#socket.write(bytes, resolve));
    if (error) throw cutShort;
  }

  async #readUntil(end: Buffer): Promise<Buffer> {
    for (;;) {
      const at = this.#received.indexOf(end);
      if (at >= 0) return this.#consume(at + end.length);
      if (!(await this.#more())) throw cutShort;
    }
  }

  async #readBytes(count: number): Promise<Buffer> {
    while (this.#received.length < count) if (!(await this.#more())) throw cutShort;
    return this.#consume(count);
  }

  async #readToEnd(): Promise<Buffer> {
    while (await this.#more());
    return this.#consume(this.#received.length);
  }

  #consume(count: number): Buffer {
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  /** False at the end of the stream. */
  async #more(): Promise<boolean> {
    for (;;) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk) {
        this.#received = Buffer.concat([this.#received, chunk]);
        return true;
      }
      if (this.#socket.readableEnded || this.#socket.destroyed) return false;
      await changeOf(this.#socket);
    }
  }

  #startTls(certificate: string): void {
    const { certificates } = this.#context.facts;
    const found = certificates?.[certificate as keyof typeof certificates];
    if (!found) throw new Error(`src/testing/certificates.ts has no certificate ${certificate}.`);
    if (this.#received.length > 0) this.#socket.unshift(this.#consume(this.#received.length));
    this.#socket = new TLSSocket(this.#socket, { isServer: true, cert: found.certificate, key: found.key });
    this.#socket.on('error', () => {});
  }
}

interface DatagramContext extends ScriptContext {
  readonly send: (bytes: Buffer) => void;
}

/** Answers one datagram by a script. Never rejects. */
export async function answerDatagram(
  datagram: Buffer,
  script: readonly Step[],
  context: DatagramContext,
): Promise<void> {
  const { complain, signal, facts, send } = context;
  for (const [index, step] of script.entries()) {
    try {
      const bytes = bytesToSend(step, datagram, facts);
      if (bytes) send(bytes);
      if (step.delay !== undefined) await pause(step.delay, signal);
      assertSeen(step, datagram, facts);
    } catch (error) {
      if (error !== cutShort) complain(`step ${index + 1}: ${String(error)}`);
      return;
    }
  }
}

function bytesToSend(step: Step, received: Buffer, facts: Facts): Buffer | undefined {
  const { send, latin1, lines, hex, base64, repeat } = step;
  if (send !== undefined) return Buffer.from(fill(send, facts));
  if (latin1 !== undefined) return Buffer.from(fill(latin1, facts), 'latin1');
  if (lines !== undefined) return Buffer.from(fill(lines.map((line) => `${line}\r\n`).join(''), facts));
  if (hex !== undefined) return bytesOf(hex, received);
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  return repeat && Buffer.from(repeat.text.repeat(repeat.times));
}

/** @throws {Error} if what was read is not what `must` and `mustNot` say */
function assertSeen({ must, mustNot }: Step, read: Buffer, facts: Facts): void {
  const text = read.toString();
  if (must !== undefined && !fillPattern(must, facts).test(text))
    throw new Error(`expected ${must} in what came, got ${JSON.stringify(text)}`);
  if (mustNot !== undefined && fillPattern(mustNot, facts).test(text))
    throw new Error(`expected no ${mustNot} in what came, got ${JSON.stringify(text)}`);
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await sleep(durationMs, undefined, { signal }).catch(() => {
    throw cutShort;
  });
}

async function changeOf(socket: Socket): Promise<void> {
  const settled = new AbortController();
  const events = ['readable', 'end', 'close'].map((event) => once(socket, event, { signal: settled.signal }));
  await Promise.race(events).catch(() => {});
  settled.abort();
  await Promise.allSettled(events);
}
