import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:dgram';
import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/failure.ts';
import { withDeadline } from '../../net/dial/deadline.ts';
import { nextDatagram } from '../../net/dial/dial.ts';
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

export interface Asking {
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
  socket.send(encodeNtpRequest(nonce));
  const { packet, heardMs } = await withDeadline(asking, (signal) => answerTo(nonce, socket, { clock, signal, where }));
  assertUsable(packet, where);
  const elapsedMs = heardMs - startedMs;
  const receivedAtMs = sentAtMs + elapsedMs;
  const serverReceivedMs = timestampToMs(packet.receive, sentAtMs);
  const serverSentMs = timestampToMs(packet.transmit, sentAtMs);
  const offsetMs = (serverReceivedMs - sentAtMs + (serverSentMs - receivedAtMs)) / 2;
  const delayMs = Math.max(0, elapsedMs - (serverSentMs - serverReceivedMs));
  return { packet, offsetMs, delayMs, serverTimeMs: receivedAtMs + offsetMs };
}

/** Only a reply that repeats our random number is an answer; forged and late ones are passed over, and told of in the end. */
async function answerTo(nonce: NtpTimestamp, socket: Socket, { clock, signal, where }: Omit<Asking, 'timeoutMs'>) {
  let wrong: string | undefined;
  for (;;) {
    const bytes = await nextDatagram(socket, signal, `Waiting for the time from ${where}`).catch((error: unknown) => {
      throw wrong !== undefined && signal.aborted ? noAnswer(wrong, where, error) : error;
    });
    const heardMs = clock.monotonic();
    const packet = decodeNtp(bytes);
    if (packet?.origin === nonce) return { packet, heardMs };
    wrong = packet ? 'a reply to another request' : `a reply of ${bytes.length} bytes`;
  }
}

/** Its cause is the end of the time, whether the sample's or the run's. */
function noAnswer(wrong: string, where: string, ended: unknown): unknown {
  if (!(ended instanceof Failure)) return ended;
  const expected = `Expected a reply of ${ntpPacketBytes} bytes that repeats our timestamp (RFC 5905)`;
  return new Failure('protocol', `${expected}, got ${wrong} from ${where}.`, { cause: ended.cause });
}

const meaningOfKiss: Readonly<Record<string, string>> = {
  DENY: 'access denied',
  RSTR: 'access denied by its rules',
  RATE: 'asked too often, use a longer interval',
};

/** What a client must check before it may trust a server: RFC 4330, section 5; RFC 5905, section 7.4 for the kiss codes. */
function assertUsable(packet: NtpPacket, where: string): void {
  const { leap, version, mode, stratum, transmit } = packet;
  const kiss = kissOf(packet);
  if (mode !== modes.server || version < 3 || version > 4) {
    const got = `version ${version}, mode ${mode}`;
    throw new Failure('protocol', `Expected a reply of an NTP server (version 4, mode 4) from ${where}, got ${got}.`);
  }
  if (kiss !== undefined) {
    const words = `${where} refuses to give the time: ${kiss} (${meaningOfKiss[kiss] ?? 'kiss of death'}).`;
    throw new Failure('protocol', words, { detail: { kissCode: kiss } });
  }
  if (leap === 3 || stratum === 0 || stratum > 15) {
    const state = `leap ${leap}, stratum ${stratum}`;
    throw new Failure('protocol', `${where} answers, but its clock is not synchronised (${state}).`);
  }
  if (transmit === 0n) throw new Failure('protocol', `${where} sent a reply without a time.`);
}

/** Stratum 0 alone is no kiss: some servers say by it that they are not synchronised, without a code or with `INIT`. */
function kissOf({ stratum, referenceId }: NtpPacket): string | undefined {
  const code = showReferenceId(referenceId, stratum);
  return stratum === 0 && /^[A-Z]{1,4}$/.test(code) && code !== 'INIT' && code !== 'STEP' ? code : undefined;
}
