import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { Address, QueryAnswer, QueryChannel, QueryOptions } from '../../core/network.ts';
import { decodeAddress, encodeAddress, isSameHost } from '../../sys/address.ts';
import { ReceiveBatch, type Received } from '../../sys/receive.ts';
import { closeSocket, ipOptions, sendTo, setOption, socketOptions } from '../../sys/socket.ts';
import { fdEvents, watchFd } from '../../sys/watch-fd.ts';
import { socketFailure } from '../dial/socket-failure.ts';
import { openSocketWith } from '../dial/socket-settings.ts';
import { answerOfMessage } from '../icmp/error-answer.ts';
import { roundTripMs, type Departure } from '../icmp/round-trip.ts';
import { transmit } from '../icmp/transmit.ts';

const numberBytes = 4;
/** The oldest socket is closed to make room: its probe has timed out long before. */
const maxSockets = 600;

interface ProbeSocket {
  readonly fd: number;
  readonly stopWatching: () => void;
  /** The only probe sent from here; undefined for the socket that many share. */
  readonly sequence: number | undefined;
}

interface Sent extends Departure {
  readonly ttl: number | undefined;
  hasAnswer: boolean;
}

/**
 * UDP packets that ICMP errors tell of. They all go from one port to one port, so that routers which spread load by the
 * ports send them one way; the payload numbers them. Some routers and hosts quote only 8 bytes of a packet, as RFC 792
 * asks, and the number is not among them. From the first such quote on each packet has a socket, and so a port, of its own.
 */
export class UdpProbes {
  readonly #address: Address;
  readonly #socketAddress: Buffer;
  readonly #options: QueryOptions;
  readonly #clock: Clock;
  readonly #payload: Buffer;
  readonly #batch = new ReceiveBatch();
  /** The shared one first. */
  readonly #sockets: ProbeSocket[] = [];
  readonly #sent = new Map<number, Sent>();
  #hasOwnPorts = false;
  #isOpen = true;

  /** @throws {SystemError} */
  constructor(address: Address & { readonly port: number }, options: QueryOptions, clock: Clock) {
    this.#socketAddress = encodeAddress(address);
    this.#address = { family: address.family, ip: decodeAddress(this.#socketAddress) ?? address.ip };
    this.#options = options;
    this.#clock = clock;
    this.#payload = randomBytes(Math.max(options.size, numberBytes));
    this.#openSocket(undefined);
  }

  channel(): Omit<QueryChannel, 'resolveMs'> {
    return {
      address: this.#address,
      via: 'udp',
      send: (sequence, ttl = this.#options.ttl) => this.#send(sequence, ttl),
      [Symbol.dispose]: () => this.#close(),
    };
  }

  #openSocket(sequence: number | undefined): ProbeSocket {
    const { family } = this.#address;
    const { source, dscp } = this.#options;
    const fd = openSocketWith(this.#address, { protocol: 'udp', source, dscp, receiveErrors: true });
    for (const option of [socketOptions.timestamps, ipOptions[family].receiveHopLimit]) setOption(fd, option, 1);
    const stopWatching = watchFd(fd, fdEvents.readable, () => this.#onReady(socket));
    const socket: ProbeSocket = { fd, stopWatching, sequence };
    this.#sockets.push(socket);
    if (this.#sockets.length > maxSockets) for (const oldest of this.#sockets.splice(1, 1)) closeProbeSocket(oldest);
    return socket;
  }

  #close(): void {
    this.#isOpen = false;
    for (const socket of this.#sockets.splice(0)) closeProbeSocket(socket);
  }

  #send(sequence: number, ttl: number | undefined): void {
    if (!this.#isOpen) return;
    // The number and its complement: the checksum stays the same, which some routers count to the flow.
    this.#payload.writeUInt16BE(sequence, 0);
    this.#payload.writeUInt16BE(~sequence & 0xffff, 2);
    const sentMs = this.#clock.monotonic();
    try {
      const { fd } = (this.#hasOwnPorts ? undefined : this.#sockets[0]) ?? this.#openSocket(sequence);
      setOption(fd, ipOptions[this.#address.family].hopLimit, ttl ?? -1);
      const sentNs = transmit(() => sendTo(fd, this.#payload, this.#socketAddress));
      this.#sent.set(sequence, { sentMs, sentNs, ttl, hasAnswer: false });
    } catch (cause) {
      const error = socketFailure(cause, `Sending a UDP packet to ${this.#address.ip}`, 'machine');
      setImmediate(() => this.#deliver({ kind: 'unsent', sequence, error }));
    }
  }

  #onReady(socket: ProbeSocket): void {
    for (const queue of ['errors', 'data'] as const) {
      if (!this.#isOpen) return;
      const received = this.#batch.receive(socket.fd, queue).filter((packet) => this.#isAboutUs(packet));
      const nowMs = this.#clock.monotonic();
      // Answers first, calls afterwards: a callback may send, and that may overwrite what was received.
      const numbered = received.map((packet) => [packet, socket.sequence ?? numberIn(packet.data)] as const);
      const answers = numbered.flatMap(([packet, sequence]) => this.#answer(packet, sequence, nowMs) ?? []);
      const isNumberMissing = numbered.some(([, sequence]) => sequence === undefined);
      for (const answer of answers) this.#deliver(answer);
      if (isNumberMissing) this.#useOwnPorts();
    }
  }

  /** The target alone replies; errors come from anybody. */
  #isAboutUs({ error, sender }: Received): boolean {
    return error !== undefined || isSameHost(sender, this.#socketAddress);
  }

  #answer(
    { error, hopLimit, receivedNs }: Received,
    sequence: number | undefined,
    nowMs: number,
  ): QueryAnswer | undefined {
    const sent = sequence === undefined ? undefined : this.#sent.get(sequence);
    if (sequence === undefined || !sent) return undefined;
    const rttMs = roundTripMs(sent, { receivedNs, nowMs });
    const { ip: from } = this.#address;
    const answer = error
      ? answerOfMessage(error, { sequence, rttMs, address: this.#address })
      : ({ kind: 'reply', sequence, from, rttMs, ttl: hopLimit, duplicate: false } as const);
    // After an error the reply may still come; nothing comes after the reply.
    if (answer?.kind === 'reply') this.#sent.delete(sequence);
    else if (answer) sent.hasAnswer = true;
    return answer;
  }

  /** Sends what has no answer yet again, each packet from a port of its own. */
  #useOwnPorts(): void {
    if (this.#hasOwnPorts) return;
    this.#hasOwnPorts = true;
    for (const [sequence, { ttl, hasAnswer }] of this.#sent) if (!hasAnswer) this.#send(sequence, ttl);
  }

  #deliver(answer: QueryAnswer): void {
    if (this.#isOpen) this.#options.onAnswer(answer);
  }
}

function closeProbeSocket({ fd, stopWatching }: ProbeSocket): void {
  stopWatching();
  closeSocket(fd);
}

/** The number of a probe, from the part of its payload that came back; undefined if that part is too short. */
function numberIn(payload: Buffer): number | undefined {
  if (payload.length < numberBytes) return undefined;
  const sequence = payload.readUInt16BE(0);
  return payload.readUInt16BE(2) === (~sequence & 0xffff) ? sequence : undefined;
}
