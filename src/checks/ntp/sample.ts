import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:dgram';
import type { Clock } from '../../core/clock.ts';
import { abortError, Failure } from '../../core/failure.ts';
import { formatSpan } from '../../core/span.ts';
import { withDeadline } from '../../net/dial/deadline.ts';
import { sendDatagram } from '../../net/dial/send.ts';
import { socketFailure } from '../../net/dial/socket-failure.ts';
import {
  decodeNtp,
  encodeNtpRequest,
  modes,
  ntpPacketBytes,
  showReferenceId,
  timestampToMs,
  type NtpPacket,
  type NtpTimestamp,
} from '../../net/packets/ntp.ts';

/** One question and its answer: RFC 5905, section 8. */
export interface Sample {
  readonly packet: NtpPacket;
  /** How far the server's clock is ahead of ours. */
  readonly offsetMs: number;
  /** The round trip without the time the server took. */
  readonly delayMs: number;
  /** The server's clock when the reply arrived here. */
  readonly serverTimeMs: number;
}

interface Asking {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** For messages: `pool.ntp.org`. */
  readonly where: string;
}

/** @throws {Failure} timeout, refused, unreachable, protocol */
export async function takeSample(socket: Socket, asking: Asking): Promise<Sample> {
  const { clock, where } = asking;
  const nonce = randomBytes(8).readBigUInt64BE();
  const sentAtMs = clock.now();
  const startedMs = clock.monotonic();
  const { packet, heardMs } = await withDeadline(asking, (signal) =>
    ask(socket, { nonce, clock, signal, doing: `Waiting for the time from ${where}` }),
  );
  assertUsable(packet, where);
  const elapsedMs = heardMs - startedMs;
  const receivedAtMs = sentAtMs + elapsedMs;
  const serverReceivedMs = timestampToMs(packet.receive, sentAtMs);
  const serverSentMs = timestampToMs(packet.transmit, sentAtMs);
  assertConsistent(packet, { where, elapsedMs, serverReceivedMs, serverSentMs });
  const offsetMs = (serverReceivedMs - sentAtMs + (serverSentMs - receivedAtMs)) / 2;
  const delayMs = Math.max(0, elapsedMs - (serverSentMs - serverReceivedMs));
  return { packet, offsetMs, delayMs, serverTimeMs: receivedAtMs + offsetMs };
}

interface Exchange {
  /** Our random number, which only an answer to this request repeats. */
  readonly nonce: NtpTimestamp;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly doing: string;
}

interface Heard {
  readonly packet: NtpPacket;
  readonly heardMs: number;
}

/**
 * Sends a request and waits for its answer. It ignores forged and late replies, and errors from routers; if no answer comes,
 * the failure tells the last of them.
 */
function ask(socket: Socket, { nonce, clock, signal, doing }: Exchange): Promise<Heard> {
  const { promise, resolve, reject } = Promise.withResolvers<Heard>();
  let evidence: Failure | undefined;
  const onMessage = (bytes: Buffer): void => {
    const heardMs = clock.monotonic();
    const packet = decodeNtp(bytes);
    if (packet?.origin === nonce) return resolve({ packet, heardMs });
    const got = packet ? 'a reply to another request' : `a reply of ${bytes.length} bytes`;
    const expected = `a reply of ${ntpPacketBytes} bytes that repeats our timestamp (RFC 5905)`;
    evidence = new Failure('protocol', `${doing}: expected ${expected}, got ${got}.`);
  };
  const onError = (error: Error): void => {
    const failure = socketFailure(error, doing);
    if (!(failure instanceof Failure) || failure.reason === 'refused') reject(failure);
    else evidence = failure;
  };
  const onAbort = (): void => {
    const ended = abortError(signal, doing);
    reject(ended instanceof Failure && evidence ? evidence.with({ cause: signal.reason }) : ended);
  };
  socket.on('message', onMessage).on('error', onError);
  signal.addEventListener('abort', onAbort, { once: true });
  sendDatagram(socket, encodeNtpRequest(nonce), (error) => reject(socketFailure(error, doing, 'machine')));
  return promise.finally(() => {
    socket.off('message', onMessage).off('error', onError);
    signal.removeEventListener('abort', onAbort);
  });
}

interface Times {
  readonly where: string;
  readonly elapsedMs: number;
  readonly serverReceivedMs: number;
  readonly serverSentMs: number;
}

/** A server whose clock may be wrong by more is not used: RFC 5905 appendix A.5.1.1.1, MAXDISP. */
const maxErrorMs = 16_000;

/**
 * Finds times in a reply that contradict each other: the server took longer than we waited, sent its reply before the request
 * came, or set its clock after it sent. The tolerance is the precision that the server claims.
 */
function assertConsistent(packet: NtpPacket, { where, elapsedMs, serverReceivedMs, serverSentMs }: Times): void {
  const toleranceMs = Math.min(maxErrorMs, precisionMsOf(packet) + packet.rootDispersionMs);
  const tookMs = serverSentMs - serverReceivedMs;
  const contradicts = (words: string): Failure =>
    new Failure('protocol', `${where} sent times that contradict each other: ${words}.`);
  if (tookMs < -toleranceMs) throw contradicts(`it sent its reply ${formatSpan(-tookMs)} before it got the request`);
  if (tookMs > elapsedMs + toleranceMs)
    throw contradicts(`it took ${formatSpan(tookMs)}, and its reply came after ${formatSpan(elapsedMs)}`);
  const setMs = timestampToMs(packet.reference, serverSentMs);
  if (packet.reference !== 0n && setMs > serverSentMs + toleranceMs)
    throw contradicts(`its clock was set ${formatSpan(setMs - serverSentMs)} after it sent the reply`);
}

/** Resolution of the server's clock. */
export function precisionMsOf({ precision }: NtpPacket): number {
  return 2 ** precision * 1000;
}

/** The server wants to be asked less, or not at all (RFC 5905 section 7.4). */
export class KissOfDeath extends Failure {}

const meaningOfKiss: Readonly<Record<string, string>> = {
  DENY: 'access denied',
  RSTR: 'access denied by its rules',
  RATE: 'asked too often, use a longer interval',
};

/** The tests that a client must make before it trusts a server: RFC 4330, section 5; RFC 5905, section 7.4 for the kiss codes. */
function assertUsable(packet: NtpPacket, where: string): void {
  const { leap, version, mode, stratum, transmit } = packet;
  const kiss = kissOf(packet);
  // Older servers put their own version there; ntpd and chronyd take them (RFC 5905 section 7.3 has all four as one format).
  if (mode !== modes.server || version < 1 || version > 4) {
    const got = `version ${version}, mode ${mode}`;
    throw new Failure('protocol', `Expected a reply of an NTP server (version 4, mode 4) from ${where}, got ${got}.`);
  }
  if (kiss !== undefined) {
    const words = `${where} refuses to give the time: ${kiss} (${meaningOfKiss[kiss] ?? 'kiss of death'}).`;
    throw new KissOfDeath('protocol', words, { detail: { kissCode: kiss } });
  }
  if (leap === 3 || stratum === 0 || stratum > 15) {
    const state = `leap ${leap}, stratum ${stratum}`;
    throw new Failure('protocol', `${where} answers, but its clock is not synchronised (${state}).`);
  }
  if (transmit === 0n) throw new Failure('protocol', `${where} sent a reply without a time.`);
}

/** Stratum 0 alone is no kiss of death: with no code, or with `INIT`, some servers say by it that they are not synchronised. */
function kissOf({ stratum, referenceId }: NtpPacket): string | undefined {
  const code = showReferenceId(referenceId, stratum);
  return stratum === 0 && /^[A-Z]{1,4}$/.test(code) && code !== 'INIT' && code !== 'STEP' ? code : undefined;
}
