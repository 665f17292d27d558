import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { systemClock, type Clock } from '../core/clock.ts';
import { AppError } from '../core/errors.ts';
import { formatEndpoint } from '../core/target.ts';
import type { Rate } from '../core/rate.ts';
import { DatagramGuard } from './datagram-guard.ts';
import { UdpSockets } from './udp-sockets.ts';

/** Not RFC 862's port 7, which only root may open. */

const defaultLimits = {
  maxConnections: 256,
  idleMs: 60_000,
  /** One check of a thousand messages, ten milliseconds apart, is within it. */
  perSource: { perSecond: 100, burst: 1000 },
  overall: { perSecond: 20_000, burst: 20_000 },
  maxQueuedDatagrams: 1000,
} as const;

export interface EchoLimits {
  readonly maxConnections: number;
  /** A connection on which nothing moves for so long is closed. */
  readonly idleMs: number;
  /** Datagrams answered to one address. */
  readonly perSource: Rate;
  readonly overall: Rate;
  readonly maxQueuedDatagrams: number;
}

export interface ResponderOptions {
  readonly host: string;
  /** 0 takes any free port; undefined does not serve this protocol. */
  readonly tcp?: number | undefined;
  readonly udp?: number | undefined;
  readonly limits?: Partial<EchoLimits>;
  readonly clock?: Clock;
}

export interface EchoCounters {
  connections: number;
  connectionsRefused: number;
  tcpBytes: number;
  datagrams: number;
  datagramsDropped: number;
  udpBytes: number;
}

/** Sends back what it gets, over TCP and UDP (RFC 862), within limits that keep it from being misused. */
export class EchoResponder {
  readonly counters: EchoCounters = {
    connections: 0,
    connectionsRefused: 0,
    tcpBytes: 0,
    datagrams: 0,
    datagramsDropped: 0,
    udpBytes: 0,
  };
  readonly #options: ResponderOptions;
  readonly #limits: EchoLimits;
  readonly #guard: DatagramGuard;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #udp: UdpSockets | undefined;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#guard = new DatagramGuard({ clock: options.clock ?? systemClock, ...this.#limits });
  }

  /** The ports it listens on. @throws {AppError} unavailable, when a port cannot be opened; then nothing stays open */
  async start(): Promise<{ readonly tcp?: number; readonly udp?: number }> {
    const { tcp, udp } = this.#options;
    try {
      return {
        ...(tcp !== undefined && { tcp: await this.#listenTcp(tcp) }),
        ...(udp !== undefined && { udp: await this.#listenUdp(udp) }),
      };
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Closes every connection at once. */
  async stop(): Promise<void> {
    const [server, udp] = [this.#server, this.#udp];
    this.#server = undefined;
    this.#udp = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([server && closed(server), udp?.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listenTcp(port: number): Promise<number> {
    const { host } = this.#options;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#serve(socket));
    server.maxConnections = this.#limits.maxConnections;
    server.on('drop', () => this.counters.connectionsRefused++);
    server.listen(port, host);
    await listening(server, `TCP ${formatEndpoint({ host, port })}`);
    this.#server = server;
    // A listening TCP server has an AddressInfo.
    return (server.address() as AddressInfo).port;
  }

  async #listenUdp(port: number): Promise<number> {
    const { host, clock = systemClock } = this.#options;
    const sockets = new UdpSockets({
      clock,
      onDatagram: (socket, datagram, source) => this.#answer(socket, datagram, source),
    });
    this.#udp = sockets;
    return await sockets.open(host, port).catch((error: unknown) => {
      throw cannotListen(error, `UDP ${formatEndpoint({ host, port })}`);
    });
  }

  #serve(socket: Socket): void {
    this.counters.connections++;
    this.#sockets.add(socket);
    socket
      .setTimeout(this.#limits.idleMs, () => socket.destroy())
      .on('data', (bytes) => (this.counters.tcpBytes += bytes.length))
      .on('error', () => socket.destroy())
      .once('close', () => this.#sockets.delete(socket))
      // A pipe stops reading while the client does not read.
      .pipe(socket);
  }

  #answer(socket: UdpSocket, datagram: Buffer, source: RemoteInfo): void {
    this.counters.datagrams++;
    if (!this.#mayAnswer(socket, source)) {
      this.counters.datagramsDropped++;
      return;
    }
    this.counters.udpBytes += datagram.length;
    socket.send(datagram, source.port, source.address);
  }

  #mayAnswer(socket: UdpSocket, source: RemoteInfo): boolean {
    if (source.port === socket.address().port) return false;
    return socket.getSendQueueCount() < this.#limits.maxQueuedDatagrams && this.#guard.admits(source);
  }
}

async function listening(server: Server, where: string): Promise<void> {
  try {
    await once(server, 'listening');
  } catch (error) {
    throw cannotListen(error, where);
  }
}

function cannotListen(error: unknown, where: string): AppError {
  // What listening throws has a code: EADDRINUSE, EACCES, EADDRNOTAVAIL.
  const { code } = error as NodeJS.ErrnoException;
  const message = `The echo responder cannot listen on ${where} (${code}): choose another port or host.`;
  return new AppError('unavailable', message, { cause: error });
}

async function closed(server: Server): Promise<void> {
  const end = once(server, 'close');
  server.close();
  await end;
}
