import { nextTurn, type Cancel, type Clock } from '../../core/clock.ts';
import type { Address, QueryAnswer, QueryChannel, QueryOptions } from '../../core/network.ts';
import { decodeAddress, encodeAddress } from '../../sys/address.ts';
import { realtimeNs } from '../../sys/clock.ts';
import { ReceiveBatch } from '../../sys/receive.ts';
import {
  closeSocket,
  connectSocket,
  getOption,
  handshakeMs,
  ipOptions,
  localPort,
  retransmissions,
  setOption,
  socketOptions,
} from '../../sys/socket.ts';
import { fdEvents, watchFd } from '../../sys/watch-fd.ts';
import { socketFailure } from '../dial/socket-failure.ts';
import { openSocketWith } from '../dial/socket-settings.ts';
import { answerOfMessage } from '../icmp/error-answer.ts';
import { roundTripMs, type Departure } from '../icmp/round-trip.ts';
import { ResetTimes } from './reset-times.ts';

const ECONNREFUSED = 111;
/** After this time the kernel sends a second SYN (RFC 6298), and an answer may be to either of the two. */
const secondSynMs = 1000;

interface Attempt extends Departure {
  readonly sequence: number;
  readonly fd: number;
  /** A refused socket does not know it any more. */
  readonly localPort: number;
  readonly stop: () => void;
}

/** TCP handshakes, each from a port of its own: the kernel allows one connection between two ports. */
export class TcpProbes {
  readonly #address: Address;
  readonly #socketAddress: Buffer;
  readonly #options: QueryOptions;
  readonly #clock: Clock;
  readonly #batch = new ReceiveBatch();
  readonly #open = new Set<Attempt>();
  readonly #resetTimes: ResetTimes | undefined;
  readonly #queue: (() => void)[] = [];
  #isOpen = true;

  constructor(address: Address & { readonly port: number }, options: QueryOptions, clock: Clock) {
    this.#socketAddress = encodeAddress(address);
    this.#address = { family: address.family, ip: decodeAddress(this.#socketAddress) ?? address.ip };
    this.#options = options;
    this.#clock = clock;
    this.#resetTimes = openResetTimes(address);
  }

  channel(): Omit<QueryChannel, 'resolveMs'> {
    return {
      address: this.#address,
      via: 'tcp',
      send: (sequence, ttl = this.#options.ttl) => this.#send(sequence, ttl),
      [Symbol.dispose]: () => {
        if (this.#isOpen) this.#resetTimes?.[Symbol.dispose]();
        this.#isOpen = false;
        for (const attempt of this.#open) this.#close(attempt);
      },
    };
  }

  /** Without the kernel's times one handshake a turn of the event loop, so that it notices each answer as it comes. */
  #send(sequence: number, ttl: number | undefined): void {
    if (this.#resetTimes) return this.#try(sequence, ttl);
    this.#queue.push(() => this.#try(sequence, ttl));
    if (this.#queue.length === 1) setImmediate(() => this.#sendNext());
  }

  #sendNext(): void {
    this.#queue[0]?.();
    this.#queue.shift();
    if (this.#queue.length > 0) setImmediate(() => this.#sendNext());
  }

  #try(sequence: number, ttl: number | undefined): void {
    if (!this.#isOpen) return;
    try {
      this.#begin(sequence, ttl);
    } catch (cause) {
      const error = socketFailure(cause, `Opening a TCP connection to ${this.#address.ip}`, 'machine');
      setImmediate(() => this.#deliver({ kind: 'unsent', sequence, error }));
    }
  }

  /** Begins a handshake. @throws {SystemError} */
  #begin(sequence: number, ttl: number | undefined): void {
    const { family } = this.#address;
    const { source, dscp } = this.#options;
    const fd = openSocketWith(this.#address, { protocol: 'tcp', source, dscp, receiveErrors: true });
    try {
      setOption(fd, socketOptions.timestamps, 1);
      if (ttl !== undefined) setOption(fd, ipOptions[family].hopLimit, ttl);
      const sent = { sentMs: this.#clock.monotonic(), sentNs: realtimeNs() };
      const isPending = connectSocket(fd, this.#socketAddress);
      const refusedMs = this.#clock.monotonic();
      const stopWatching = watchFd(fd, fdEvents.writable, (readyMs) =>
        isPending ? this.#onReady(attempt, readyMs) : this.#refuse(attempt, refusedMs),
      );
      const cancel = this.#clock.after(secondSynMs, () => void nextTurn().then(() => this.#close(attempt)));
      const attempt: Attempt = { ...sent, sequence, fd, localPort: localPort(fd), stop: both(stopWatching, cancel) };
      this.#open.add(attempt);
    } catch (error) {
      closeSocket(fd);
      throw error;
    }
  }

  #onReady(attempt: Attempt, readyMs: number): void {
    const { sequence, fd } = attempt;
    // The error queue first: it says who and why, and reading SO_ERROR alone would not.
    const [queued] = this.#batch.receive(fd, 'errors');
    const errno = getOption(fd, socketOptions.error);
    if (retransmissions(fd) > 0) return void this.#close(attempt);
    if (queued?.error) {
      const timed = { receivedNs: queued.receivedNs, nowMs: readyMs };
      const facts = { sequence, rttMs: roundTripMs(attempt, timed), address: this.#address };
      return this.#settle(attempt, answerOfMessage(queued.error, facts));
    }
    if (errno === ECONNREFUSED) return this.#refuse(attempt, readyMs);
    // Any other error, such as the kernel's own timeout, is silence.
    this.#settle(attempt, errno === 0 ? this.#reply(sequence, handshakeMs(fd) || readyMs - attempt.sentMs) : undefined);
  }

  /** A closed port answers as well as an open one. */
  #refuse(attempt: Attempt, readyMs: number): void {
    const receivedNs = this.#resetTimes?.take(attempt.localPort);
    this.#settle(attempt, this.#reply(attempt.sequence, roundTripMs(attempt, { receivedNs, nowMs: readyMs })));
  }

  #reply(sequence: number, rttMs: number): QueryAnswer {
    return { kind: 'reply', sequence, from: this.#address.ip, rttMs, ttl: undefined, duplicate: false };
  }

  #settle(attempt: Attempt, answer: QueryAnswer | undefined): void {
    if (this.#close(attempt) && answer) this.#deliver(answer);
  }

  #deliver(answer: QueryAnswer): void {
    if (this.#isOpen) this.#options.onAnswer(answer);
  }

  /** Returns false if it was closed before. */
  #close(attempt: Attempt): boolean {
    if (!this.#open.delete(attempt)) return false;
    attempt.stop();
    closeSocket(attempt.fd);
    return true;
  }
}

/** Undefined where this process may open no raw socket: then a reset has the time at which the event loop noticed it. */
function openResetTimes({ family, port }: { readonly family: 4 | 6; readonly port: number }): ResetTimes | undefined {
  try {
    return new ResetTimes(family, port);
  } catch {
    return undefined;
  }
}

function both(first: Cancel, second: Cancel): Cancel {
  return () => {
    first();
    second();
  };
}
