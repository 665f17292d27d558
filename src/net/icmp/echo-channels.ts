import { randomBytes, randomInt } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { BoundedMap } from '../../core/bounded-map.ts';
import type { Address, Family, QueryAnswer, QueryChannel, SocketSettings } from '../../core/network.ts';
import { socketFailure } from '../dial/socket-failure.ts';
import { carriesCookie, encodeEchoRequest, numberEchoRequest } from '../packets/icmp.ts';
import { decodeAddress, encodeAddress, isSameHost } from '../../sys/address.ts';
import { SystemError } from '../../sys/libc.ts';
import { fdEvents, watchFd } from '../../sys/watch-fd.ts';
import { answerOfMessage } from './error-answer.ts';
import { EchoSocket, type EchoReceived } from './echo-socket.ts';
import { roundTripMs, type Departure } from './round-trip.ts';
import { transmit } from './transmit.ts';

const cookieBytes = 8;
const sequences = 0x1_0000;

export interface EchoOptions extends SocketSettings {
  readonly size: number;
  readonly ttl?: number | undefined;
  readonly dontFragment?: boolean;
  readonly onAnswer: (answer: QueryAnswer) => void;
}

interface Sender {
  readonly address: Address;
  readonly socketAddress: Buffer;
  readonly cookie: Buffer;
  readonly packet: Buffer;
  readonly options: EchoOptions;
  isOpen: boolean;
}

interface Sent extends Departure {
  readonly sender: Sender;
  /** The sender's own number; on the wire it has another. */
  readonly sequence: number;
  replied: boolean;
}

/**
 * All echoes of one family, from one source, share one socket and are told apart by sequence number and cookie. It lives as long as
 * somebody uses it, and takes new users only for a while: after that a firewall that has forgotten the identifier no longer matters.
 */
class SharedEchoSocket {
  readonly #socket: EchoSocket;
  readonly #clock: Clock;
  readonly #openedMs: number;
  readonly #stopWatching: () => void;
  readonly #sent = new Map<number, Sent>();
  #next = randomInt(sequences);
  #users = 0;

  constructor(family: Family, settings: SocketSettings, clock: Clock) {
    this.#socket = new EchoSocket(family, settings);
    this.#clock = clock;
    this.#openedMs = clock.monotonic();
    this.#stopWatching = watchFd(this.#socket.fd, fdEvents.readable, () => this.#onReady());
  }

  takesUsers(maxAgeMs: number): boolean {
    return this.#users > 0 && this.#clock.monotonic() - this.#openedMs < maxAgeMs;
  }

  /** Counts a user in; the returned channel's disposal counts it out. */
  open(address: Address, options: EchoOptions): Omit<QueryChannel, 'resolveMs'> {
    const cookie = randomBytes(cookieBytes);
    const { identifier } = this.#socket;
    const packet = encodeEchoRequest(address.family, { identifier, size: options.size, cookie });
    const socketAddress = encodeAddress(address);
    const sender: Sender = {
      address: { ...address, ip: decodeAddress(socketAddress) ?? address.ip },
      socketAddress,
      cookie,
      packet,
      options,
      isOpen: true,
    };
    const wires = new Set<number>();
    this.#users++;
    return {
      // As answers spell it, so that one can tell whether an error comes from the target itself.
      address: sender.address,
      via: this.#socket.via,
      send: (sequence, ttl = options.ttl) => {
        const wire = sender.isOpen ? this.#send(sender, sequence, ttl) : undefined;
        if (wire !== undefined) wires.add(wire);
      },
      [Symbol.dispose]: () => {
        if (!sender.isOpen) return;
        sender.isOpen = false;
        for (const wire of wires) if (this.#sent.get(wire)?.sender === sender) this.#sent.delete(wire);
        if (--this.#users === 0) this.#close();
      },
    };
  }

  #close(): void {
    this.#stopWatching();
    this.#socket.close();
  }

  /** Returns the sequence number on the wire, or undefined if the packet could not be sent; the answer says why. */
  #send(sender: Sender, sequence: number, ttl: number | undefined): number | undefined {
    const wire = this.#freeSequence();
    numberEchoRequest(sender.packet, wire);
    const sentMs = this.#clock.monotonic();
    try {
      const sending = { ttl, dontFragment: sender.options.dontFragment ?? false };
      const sentNs = transmit(() => this.#socket.send(sender.packet, sender.socketAddress, sending));
      this.#sent.set(wire, { sender, sequence, sentNs, sentMs, replied: false });
      return wire;
    } catch (error) {
      setImmediate(() => this.#refuse(sender, sequence, error));
      return undefined;
    }
  }

  #freeSequence(): number {
    // With every number in use the oldest packet is forgotten, as if it were lost.
    if (this.#sent.size < sequences) while (this.#sent.has(this.#next)) this.#advance();
    const sequence = this.#next;
    this.#advance();
    return sequence;
  }

  #advance(): void {
    this.#next = (this.#next + 1) % sequences;
  }

  #refuse(sender: Sender, sequence: number, error: unknown): void {
    if (!(error instanceof SystemError) || error.code !== 'EMSGSIZE') {
      const doing = `Sending an echo request to ${sender.address.ip}`;
      return deliver(sender, { kind: 'unsent', sequence, error: socketFailure(error, doing, 'machine') });
    }
    // How much fits waits in the error queue, perhaps among errors about other packets.
    this.#onReady();
    const mtu = this.#socket.refusedMtu;
    const tooBig = { kind: 'too-big', text: 'packet too big', ...(mtu > 0 && { mtu }) } as const;
    deliver(sender, { kind: 'error', sequence, from: undefined, rttMs: 0, error: tooBig });
  }

  #onReady(): void {
    for (const queue of ['errors', 'data'] as const) {
      let received: EchoReceived[];
      do {
        received = this.#users > 0 ? this.#socket.receive(queue) : [];
        const nowMs = this.#clock.monotonic();
        // Answers first, calls afterwards: a callback may send, and that may overwrite what was received.
        const calls = received.flatMap((echo) => this.#answer(echo, nowMs));
        for (const { sender, answer } of calls) deliver(sender, answer);
      } while (received.length > 0);
    }
  }

  #answer(echo: EchoReceived, nowMs: number): { sender: Sender; answer: QueryAnswer }[] {
    const sent = this.#sent.get(echo.sequence);
    if (!sent || !carriesCookie(echo.payload, sent.sender.cookie)) return [];
    const { sender, sequence } = sent;
    const rttMs = roundTripMs(sent, { receivedNs: echo.receivedNs, nowMs });
    if (echo.error) {
      const answer = sent.replied
        ? undefined
        : answerOfMessage(echo.error, { sequence, rttMs, address: sender.address });
      return answer ? [{ sender, answer }] : [];
    }
    const isTarget = isSameHost(echo.sender, sender.socketAddress);
    const from = isTarget ? sender.address.ip : (decodeAddress(echo.sender) ?? sender.address.ip);
    const answer = { kind: 'reply', sequence, from, rttMs, ttl: echo.ttl, duplicate: sent.replied } as const;
    sent.replied = true;
    return [{ sender, answer }];
  }
}

function deliver(sender: Sender, answer: QueryAnswer): void {
  if (sender.isOpen) sender.options.onAnswer(answer);
}

const socketLifetimeMs = 10_000;
const maxCurrent = 100;

/** Opens channels for echo requests; concurrent ones share a socket. */
export class EchoChannels {
  readonly #clock: Clock;
  readonly #current = new BoundedMap<string, SharedEchoSocket>(maxCurrent);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws {SystemError} where this process may open no ICMP socket */
  open(address: Address, options: EchoOptions): Omit<QueryChannel, 'resolveMs'> {
    const { source, dscp } = options;
    const kind = `${address.family} ${source ?? ''} ${dscp ?? ''}`;
    let shared = this.#current.get(kind);
    if (!shared?.takesUsers(socketLifetimeMs))
      shared = new SharedEchoSocket(address.family, { source, dscp }, this.#clock);
    this.#current.set(kind, shared);
    return shared.open(address, options);
  }
}
