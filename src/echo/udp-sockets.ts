import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../core/clock.ts';

const lookAgainMs = 1000;

interface UdpSocketsParts {
  readonly clock: Clock;
  readonly onDatagram: (socket: Socket, datagram: Buffer, source: RemoteInfo) => void;
}

/**
 * The sockets of one UDP port. A socket on every address (`::`, `0.0.0.0`) would answer from whichever address the kernel
 * prefers, and a client hears only the one that it asked. So beside it each address has a socket of its own, which the
 * kernel prefers for what comes to that address.
 */
export class UdpSockets {
  readonly #parts: UdpSocketsParts;
  readonly #sockets = new Map<string, Socket>();
  #lookedAtMs = -Infinity;

  constructor(parts: UdpSocketsParts) {
    this.#parts = parts;
  }

  /** The port. @throws the error of the system, when the port cannot be opened */
  async open(host: string, port: number): Promise<number> {
    const isEveryAddress = host === '::' || host === '0.0.0.0';
    // Alone first: sockets that share a port would not tell that another program has it.
    const alone = await bound({ host, port, reuseAddr: false });
    const { port: taken } = alone.address();
    if (!isEveryAddress) return this.#serve(host, alone, taken);
    await closed(alone);
    this.#serve(host, await bound({ host, port: taken, reuseAddr: true }), taken);
    await this.#openEachAddress(host, taken);
    return taken;
  }

  async close(): Promise<void> {
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    await Promise.all(sockets.map(closed));
  }

  #serve(host: string, socket: Socket, port: number): number {
    this.#sockets.set(host, socket);
    const isEveryAddress = host === '::' || host === '0.0.0.0';
    socket.on('message', (datagram, source) => {
      this.#parts.onDatagram(socket, datagram, source);
      // What comes here was sent to an address that has no socket yet.
      if (isEveryAddress) void this.#openEachAddress(host, port);
    });
    // What comes later is about one datagram of one client.
    socket.on('error', () => {});
    return port;
  }

  async #openEachAddress(host: string, port: number): Promise<void> {
    const nowMs = this.#parts.clock.monotonic();
    if (nowMs - this.#lookedAtMs < lookAgainMs) return;
    this.#lookedAtMs = nowMs;
    const missing = addressesOf(host).filter((address) => !this.#sockets.has(address));
    for (const address of missing) {
      // An address may go between the look and this; the socket on every address answers in its place.
      const socket = await bound({ host: address, port, reuseAddr: true }).catch(() => undefined);
      if (!socket) continue;
      if (this.#sockets.has(host) && !this.#sockets.has(address)) this.#serve(address, socket, port);
      else socket.close();
    }
  }
}

/** Of this machine, which a socket on `host` hears: `::` those of IPv4 too. */
function addressesOf(host: string): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const wanted = all.filter(
    ({ address, family }) => family === 'IPv4' || (host === '::' && !address.startsWith('fe80')),
  );
  return [...new Set(wanted.map(({ address }) => address))];
}

interface Binding {
  readonly host: string;
  readonly port: number;
  readonly reuseAddr: boolean;
}

async function bound({ host, port, reuseAddr }: Binding): Promise<Socket> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', reuseAddr });
  socket.bind(port, host);
  await once(socket, 'listening');
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  const end = once(socket, 'close');
  socket.close();
  await end;
}
