import type { Socket as UdpSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import { sleep, type Clock } from '../../core/clock.ts';
import { abortError } from '../../core/failure.ts';
import { socketFailure } from '../../net/dial/socket-failure.ts';
import { Incoming } from '../../net/dialogue/incoming.ts';
import type { EchoTally } from './tally.ts';

export interface Exchange {
  readonly messages: readonly Buffer[];
  readonly intervalMs: number;
  readonly waitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly tally: EchoTally;
  /** For messages: `127.0.0.1:7`. */
  readonly where: string;
}

/** Sends every message at its time, whether or not the one before was answered, and waits for late replies. */
export async function exchangeOverUdp(socket: UdpSocket, exchange: Exchange): Promise<void> {
  const { messages, waitMs, clock, signal, tally, where } = exchange;
  const allHeard = Promise.withResolvers<void>();
  socket.on('message', (reply) => {
    tally.hear(reply, clock.monotonic());
    if (tally.heard >= messages.length) allHeard.resolve();
  });
  socket.on('error', (error) => allHeard.reject(socketFailure(error, `Waiting for the echo of ${where}`)));
  const leaving = new AbortController();
  const waits = AbortSignal.any([signal, leaving.signal]);
  try {
    const everythingSent = sendSpaced({ ...exchange, signal: waits }, (message) => socket.send(message));
    await Promise.race([allHeard.promise, everythingSent.then(() => sleep(clock, waitMs, waits))]);
  } catch (error) {
    const { sent, received } = tally.result();
    const soFar = `${sent} of ${messages.length} messages sent to ${where}, ${received} came back`;
    throw signal.aborted ? abortError(signal, soFar) : error;
  } finally {
    leaving.abort();
  }
}

async function sendSpaced(exchange: Exchange, send: (message: Buffer) => void): Promise<void> {
  const { messages, intervalMs, clock, signal, tally } = exchange;
  for (const [index, message] of messages.entries()) {
    if (index > 0) await sleep(clock, intervalMs, signal);
    tally.send(message, clock.monotonic());
    send(message);
  }
}

/** Sends each message when the previous one is back. A stream keeps the order, so the next bytes are the echo or are wrong. */
export async function exchangeOverTcp(socket: Socket, exchange: Exchange): Promise<void> {
  const { messages, intervalMs, clock, signal, tally, where } = exchange;
  const longest = Math.max(...messages.map(({ length }) => length));
  const incoming = new Incoming(socket, longest);
  for (const [index, message] of messages.entries()) {
    if (index > 0) await sleep(clock, intervalMs, signal);
    tally.send(message, clock.monotonic());
    socket.write(message);
    const doing = `Waiting for echo ${index + 1} of ${messages.length} from ${where}`;
    const echo = await incoming.until((bytes) => firstBytes(bytes, message.length), { signal, doing });
    incoming.drop(echo.length);
    // From here on the stream is out of step with us.
    if (!echo.equals(message)) return tally.hearWrong(echo);
    tally.hear(echo, clock.monotonic());
  }
  if (incoming.bytes.length > 0) tally.hearWrong(incoming.bytes);
}

function firstBytes(bytes: Buffer, count: number): Buffer | undefined {
  return bytes.length >= count ? bytes.subarray(0, count) : undefined;
}
