import type { Clock } from '../../core/clock.ts';
import type { Address, QueryAnswer, QueryChannel, QueryOptions } from '../../core/network.ts';
import { socketFailure } from '../dial/socket-failure.ts';
import { explainIcmpError } from '../packets/icmp.ts';
import { decodeAddress, encodeAddress } from '../../sys/address.ts';
import { realtimeNs } from '../../sys/clock.ts';
import { ReceiveBatch } from '../../sys/receive.ts';
import {
  closeSocket,
  connectSocket,
  getOption,
  handshakeMs,
  ipOptions,
  openSocket,
  setOption,
  SOCK_STREAM,
  socketOptions,
} from '../../sys/socket.ts';
import { fdEvents, watchFd } from '../../sys/watch-fd.ts';
import { roundTripMs, type Departure } from '../icmp/round-trip.ts';

const tcpProtocol = 6;
const ECONNREFUSED = 111;

interface Attempt extends Departure {
  readonly sequence: number;
  readonly fd: number;
  readonly stop: () => void;
}

/** TCP handshakes, each from a port of its own: the kernel keeps no two to one port from the same one. */
export class TcpQueries {
  readonly #address: Address;
  readonly #socketAddress: Buffer;
  readonly #options: QueryOptions;
  readonly #clock: Clock;
  readonly #batch = new ReceiveBatch();
  readonly #open = new Set<Attempt>();
  #isOpen = true;

  constructor(address: Address & { readonly port: number }, options: QueryOptions, clock: Clock) {
    this.#socketAddress = encodeAddress(address);
    this.#address = { family: address.family, ip: decodeAddress(this.#socketAddress) ?? address.ip };
    this.#options = options;
    this.#clock = clock;
  }

  channel(): Omit<QueryChannel, 'resolveMs'> {
    return {
      address: this.#address,
      via: 'tcp',
      send: (sequence, ttl = this.#options.ttl) => this.#send(sequence, ttl),
      [Symbol.dispose]: () => {
        this.#isOpen = false;
        for (const attempt of this.#open) this.#close(attempt);
      },
    };
  }

  #send(sequence: number, ttl: number | undefined): void {
    if (!this.#isOpen) return;
    try {
      this.#open.add(this.#begin(sequence, ttl));
    } catch (cause) {
      const error = socketFailure(cause, 'Opening a TCP connection failed', 'machine');
      setImmediate(() => this.#deliver({ kind: 'unsent', sequence, error }));
    }
  }

  /** Begins a handshake. @throws {SystemError} */
  #begin(sequence: number, ttl: number | undefined): Attempt {
    const { family } = this.#address;
    const fd = openSocket({ family, kind: SOCK_STREAM, protocol: tcpProtocol });
    try {
      setOption(fd, socketOptions.timestamps, 1);
      setOption(fd, ipOptions[family].receiveErrors, 1);
      if (ttl !== undefined) setOption(fd, ipOptions[family].hopLimit, ttl);
      const sent = { sentMs: this.#clock.monotonic(), sentNs: realtimeNs() };
      connectSocket(fd, this.#socketAddress);
      const attempt: Attempt = {
        ...sent,
        sequence,
        fd,
        stop: watchFd(fd, fdEvents.writable, () => this.#onReady(attempt)),
      };
      return attempt;
    } catch (error) {
      closeSocket(fd);
      throw error;
    }
  }

  #onReady(attempt: Attempt): void {
    const { sequence } = attempt;
    const nowMs = this.#clock.monotonic();
    // The error queue first: it says who and why, and reading SO_ERROR alone would not.
    const [queued] = this.#batch.receive(attempt.fd, 'errors');
    if (queued?.error) {
      const { type, code, info, from } = queued.error;
      const error = explainIcmpError(this.#address.family, { type, code, mtu: info });
      const rttMs = roundTripMs(attempt, { receivedNs: queued.receivedNs, nowMs });
      return this.#settle(attempt, { kind: 'error', sequence, from, rttMs, error });
    }
    const errno = getOption(attempt.fd, socketOptions.error);
    // Connected or refused: either way the target has answered.
    const { ip } = this.#address;
    // The kernel knows how long a handshake took; of a refusal it keeps no time.
    const rttMs = (errno === 0 && handshakeMs(attempt.fd)) || nowMs - attempt.sentMs;
    if (errno === 0 || errno === ECONNREFUSED)
      return this.#settle(attempt, { kind: 'reply', sequence, from: ip, rttMs, ttl: undefined, duplicate: false });
    // Anything else, such as the kernel's own timeout, is silence.
    this.#close(attempt);
  }

  #settle(attempt: Attempt, answer: QueryAnswer): void {
    if (this.#close(attempt)) this.#deliver(answer);
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
