import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { Address, QueryAnswer, QueryChannel, QueryOptions } from '../../core/network.ts';
import { socketFailure } from '../dial/socket-failure.ts';
import { explainIcmpError } from '../packets/icmp.ts';
import { decodeAddress, encodeAddress } from '../../sys/address.ts';
import { ReceiveBatch, type Received } from '../../sys/receive.ts';
import { closeSocket, ipOptions, openSocket, sendTo, setOption, SOCK_DGRAM, socketOptions } from '../../sys/socket.ts';
import { fdEvents, watchFd } from '../../sys/watch-fd.ts';
import { roundTripMs, type Departure } from '../icmp/round-trip.ts';

const udpProtocol = 17;
const sequenceBytes = 4;

/** UDP packets from one port to one port: the same flow for every router. ICMP errors come by the socket's error queue. */
export class UdpQueries {
  readonly #fd: number;
  readonly #address: Address;
  readonly #socketAddress: Buffer;
  readonly #options: QueryOptions;
  readonly #clock: Clock;
  readonly #payload: Buffer;
  readonly #batch = new ReceiveBatch();
  readonly #sent = new Map<number, Departure>();
  readonly #stopWatching: () => void;
  #isOpen = true;

  constructor(address: Address & { readonly port: number }, options: QueryOptions, clock: Clock) {
    const { family } = address;
    this.#fd = openSocket({ family, kind: SOCK_DGRAM, protocol: udpProtocol });
    for (const option of [socketOptions.timestamps, ipOptions[family].receiveErrors, ipOptions[family].receiveHopLimit])
      setOption(this.#fd, option, 1);
    this.#socketAddress = encodeAddress(address);
    this.#address = { family, ip: decodeAddress(this.#socketAddress) ?? address.ip };
    this.#options = options;
    this.#clock = clock;
    this.#payload = randomBytes(Math.max(options.size, sequenceBytes));
    this.#stopWatching = watchFd(this.#fd, fdEvents.readable, () => this.#onReady());
  }

  channel(): Omit<QueryChannel, 'resolveMs'> {
    return {
      address: this.#address,
      via: 'udp',
      send: (sequence, ttl = this.#options.ttl) => this.#send(sequence, ttl),
      [Symbol.dispose]: () => this.#close(),
    };
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stopWatching();
    closeSocket(this.#fd);
  }

  #send(sequence: number, ttl: number | undefined): void {
    if (!this.#isOpen) return;
    // The number and its complement: the checksum stays the same, which some routers count to the flow.
    this.#payload.writeUInt16BE(sequence, 0);
    this.#payload.writeUInt16BE(~sequence & 0xffff, 2);
    const sentMs = this.#clock.monotonic();
    try {
      setOption(this.#fd, ipOptions[this.#address.family].hopLimit, ttl ?? -1);
      this.#sent.set(sequence, { sentMs, sentNs: this.#transmit() });
    } catch (cause) {
      const error = socketFailure(cause, 'Sending a UDP packet failed', 'machine');
      setImmediate(() => this.#deliver({ kind: 'unsent', sequence, error }));
    }
  }

  #transmit(): number {
    try {
      return sendTo(this.#fd, this.#payload, this.#socketAddress);
    } catch {
      // The socket reports here, once, that an earlier packet met an ICMP error. This packet's own error stays.
      return sendTo(this.#fd, this.#payload, this.#socketAddress);
    }
  }

  #onReady(): void {
    for (const queue of ['errors', 'data'] as const) {
      if (!this.#isOpen) return;
      const received = this.#batch.receive(this.#fd, queue);
      const nowMs = this.#clock.monotonic();
      // Answers first, calls afterwards: a callback may send, and that may overwrite what was received.
      for (const answer of received.flatMap((packet) => this.#answer(packet, nowMs))) this.#deliver(answer);
    }
  }

  #answer({ data, error, hopLimit, receivedNs, sender }: Received, nowMs: number): QueryAnswer[] {
    const sequence = this.#sequenceOf(data);
    const departure = sequence === undefined ? undefined : this.#sent.get(sequence);
    if (sequence === undefined || !departure) return [];
    this.#sent.delete(sequence);
    const rttMs = roundTripMs(departure, { receivedNs, nowMs });
    if (error) {
      const { type, code, info, from } = error;
      const icmp = explainIcmpError(this.#address.family, { type, code, mtu: info });
      return [{ kind: 'error', sequence, from, rttMs, error: icmp }];
    }
    const from = decodeAddress(sender) ?? this.#address.ip;
    return [{ kind: 'reply', sequence, from, rttMs, ttl: hopLimit, duplicate: false }];
  }

  /** Old routers quote no payload (RFC 792 asks for 8 bytes, the UDP header): then it is about the oldest packet. */
  #sequenceOf(payload: Buffer): number | undefined {
    const [oldest] = this.#sent.keys();
    if (payload.length < sequenceBytes) return oldest;
    const sequence = payload.readUInt16BE(0);
    const isOurs = payload.readUInt16BE(2) === (~sequence & 0xffff);
    return isOurs ? sequence : oldest;
  }

  #deliver(answer: QueryAnswer): void {
    if (this.#isOpen) this.#options.onAnswer(answer);
  }
}
