import { randomInt } from 'node:crypto';
import type { Family, SocketSettings } from '../../core/network.ts';
import { decodeEcho, echoTypes, icmpProtocol } from '../packets/icmp.ts';
import { decodeIpv4Header } from '../packets/ip.ts';
import { encodeAddress } from '../../sys/address.ts';
import { applySettings } from '../dial/socket-settings.ts';
import { SystemError } from '../../sys/libc.ts';
import { ReceiveBatch, type QueuedError, type Received } from '../../sys/receive.ts';
import {
  bindSocket,
  closeSocket,
  ipOptions,
  openSocket,
  pathMtu,
  sendTo,
  setOption,
  SOCK_DGRAM,
  SOCK_RAW,
  socketOptions,
} from '../../sys/socket.ts';

const anyAddress = { 4: '0.0.0.0', 6: '::' } as const;
const receiveBufferBytes = 8 * 1024 * 1024;
const identifierAttempts = 8;

/** A reply, or an error about a request; windows into the socket's buffers, valid until it receives again. */
export interface EchoReceived {
  readonly sequence: number;
  readonly payload: Buffer;
  readonly sender: Buffer;
  readonly receivedNs: number | undefined;
  readonly ttl: number | undefined;
  readonly error: QueuedError | undefined;
}

interface EchoSending {
  readonly ttl: number | undefined;
  readonly dontFragment: boolean;
}

/** An ICMP socket of one family for echo requests: a datagram socket where the system allows it, else a raw one. */
export class EchoSocket {
  readonly family: Family;
  readonly via: 'datagram' | 'raw';
  readonly fd: number;
  readonly identifier: number;
  readonly #batch = new ReceiveBatch();
  #refusedMtu = 0;
  #sending: EchoSending = { ttl: undefined, dontFragment: false };

  /** @throws {SystemError} EACCES or EPERM, where this process may open neither kind */
  constructor(family: Family, settings: SocketSettings = {}) {
    this.family = family;
    const protocol = icmpProtocol[family];
    try {
      this.fd = openSocket({ family, kind: SOCK_DGRAM, protocol });
      this.via = 'datagram';
    } catch {
      // Not in net.ipv4.ping_group_range, or a system without such sockets.
      this.fd = openSocket({ family, kind: SOCK_RAW, protocol });
      this.via = 'raw';
    }
    try {
      this.#configure();
      this.identifier = this.#identify(applySettings(this.fd, family, settings));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #configure(): void {
    const options = ipOptions[this.family];
    // On by default for these sockets: a second one bound to an identifier would take the first one's replies.
    setOption(this.fd, socketOptions.reuseAddress, 0);
    setOption(this.fd, socketOptions.timestamps, 1);
    setOption(this.fd, options.receiveErrors, 1);
    setOption(this.fd, options.receiveHopLimit, 1);
    setOption(this.fd, options.pathMtuDiscovery, pathMtu.fragment);
    // Replies wait here while the event loop is busy; without privileges the system's limit applies.
    setOption(this.fd, socketOptions.receiveBuffer, receiveBufferBytes);
    if (this.via === 'raw') setOption(this.fd, options.icmpFilter, onlyReplies(this.family));
  }

  /** A random identifier, so that nothing on the way mistakes us for an earlier sender. The kernel fills in a bound one. */
  #identify(source: string | undefined): number {
    const { family } = this;
    for (let attempt = 1; ; attempt++) {
      const identifier = randomInt(1, 0x1_0000);
      const port = this.via === 'raw' ? 0 : identifier;
      try {
        if (source !== undefined || this.via === 'datagram')
          bindSocket(this.fd, encodeAddress({ ip: source ?? anyAddress[family], family, port }));
        return identifier;
      } catch (error) {
        const isTaken = error instanceof SystemError && error.code === 'EADDRINUSE';
        if (!isTaken || attempt >= identifierAttempts) throw error;
      }
    }
  }

  /** Returns when it was sent; see `sendTo`. @throws {SystemError} */
  send(packet: Buffer, address: Buffer, { ttl, dontFragment }: EchoSending): number {
    const options = ipOptions[this.family];
    // -1 is the system's default again.
    if (ttl !== this.#sending.ttl) setOption(this.fd, options.hopLimit, ttl ?? -1);
    if (dontFragment !== this.#sending.dontFragment)
      setOption(this.fd, options.pathMtuDiscovery, dontFragment ? pathMtu.dontFragment : pathMtu.fragment);
    this.#sending = { ttl, dontFragment };
    return sendTo(this.fd, packet, address);
  }

  /** Replies or errors that have arrived, at most 64; empty when none are left. */
  receive(queue: 'data' | 'errors'): EchoReceived[] {
    return this.#batch.receive(this.fd, queue).flatMap((received) => {
      if (received.error?.origin === 'local') this.#refusedMtu = received.error.info;
      return this.#read(received) ?? [];
    });
  }

  /** Undefined for a packet of another program: raw sockets hear the whole machine. */
  #read({ data, error, hopLimit, ...rest }: Received): EchoReceived | undefined {
    // A raw IPv4 socket hands out packets with their headers; errors quote the packet after its header.
    const header = this.via === 'raw' && this.family === 4 && !error ? decodeIpv4Header(data) : undefined;
    const echo = decodeEcho(this.family, header ? data.subarray(header.headerBytes) : data);
    if (echo?.identifier !== this.identifier || echo.kind !== (error ? 'request' : 'reply')) return undefined;
    return { sequence: echo.sequence, payload: echo.payload, ttl: hopLimit ?? header?.ttl, error, ...rest };
  }

  /** The MTU that the kernel named when it last refused a packet as too big; known once the errors are received. */
  get refusedMtu(): number {
    return this.#refusedMtu;
  }

  close(): void {
    closeSocket(this.fd);
  }
}

/** ICMP_FILTER and ICMP6_FILTER: a bit for each type, set where the kernel shall drop it. */
function onlyReplies(family: Family): Buffer {
  const filter = Buffer.alloc(family === 4 ? 4 : 32, 0xff);
  const type = echoTypes[family].reply;
  const word = (type >> 5) * 4;
  filter.writeUInt32LE((filter.readUInt32LE(word) & ~(1 << (type & 31))) >>> 0, word);
  return filter;
}
