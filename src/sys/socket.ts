import { AF_INET, AF_INET6 } from './address.ts';
import { CLOCK_REALTIME, timespecNs } from './clock.ts';
import { checked, libc, SystemError } from './libc.ts';

// Values of Linux's headers, the same on x64 and arm64.
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x8_0000;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const MSG_DONTWAIT = 0x40;

export type SocketKind = typeof SOCK_STREAM | typeof SOCK_DGRAM | typeof SOCK_RAW;

/** A level and a name of setsockopt(2). */
export type SocketOption = readonly [level: number, name: number];

const SOL_SOCKET = 1;
const SOL_IP = 0;
const SOL_IPV6 = 41;

export const socketOptions = {
  reuseAddress: [SOL_SOCKET, 2],
  error: [SOL_SOCKET, 4],
  receiveBuffer: [SOL_SOCKET, 8],
  bindToDevice: [SOL_SOCKET, 25],
  attachFilter: [SOL_SOCKET, 26],
  receiveBufferForced: [SOL_SOCKET, 33],
  timestamps: [SOL_SOCKET, 35],
  attachEbpf: [SOL_SOCKET, 50],
} as const satisfies Record<string, SocketOption>;

/** The options that IPv4 and IPv6 have under different names. */
export const ipOptions = {
  4: {
    trafficClass: [SOL_IP, 1],
    hopLimit: [SOL_IP, 2],
    receiveHopLimit: [SOL_IP, 12],
    receiveErrors: [SOL_IP, 11],
    pathMtuDiscovery: [SOL_IP, 10],
    icmpFilter: [255, 1],
  },
  6: {
    trafficClass: [SOL_IPV6, 67],
    hopLimit: [SOL_IPV6, 16],
    receiveHopLimit: [SOL_IPV6, 51],
    receiveErrors: [SOL_IPV6, 25],
    pathMtuDiscovery: [SOL_IPV6, 23],
    icmpFilter: [58, 1],
  },
} as const satisfies Record<4 | 6, Record<string, SocketOption>>;

/** IP_MTU_DISCOVER: DONT lets routers fragment; PROBE sets the DF bit and does not trust an MTU learned earlier. */
export const pathMtu = { fragment: 0, dontFragment: 3 } as const;

interface SocketWanted {
  readonly family: 4 | 6;
  readonly kind: SocketKind;
  readonly protocol: number;
}

/** A non-blocking IP socket that child processes do not inherit. @throws {SystemError} EACCES, EPERM, … */
export function openSocket({ family, ...wanted }: SocketWanted): number {
  return openSocketOf(family === 4 ? AF_INET : AF_INET6, wanted);
}

/** The same of any address family. @throws {SystemError} */
export function openSocketOf(domain: number, { kind, protocol }: Omit<SocketWanted, 'family'>): number {
  return checked(libc().socket(domain, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), 'socket');
}

export function closeSocket(fd: number): void {
  checked(libc().close(fd), 'close');
}

export function bindSocket(fd: number, address: Buffer): void {
  checked(libc().bind(fd, address, address.length), 'bind');
}

/**
 * Begins to connect: the socket becomes ready when it is connected or has failed. Returns false if it was refused at once,
 * as it happens on loopback. @throws {SystemError}
 */
export function connectSocket(fd: number, address: Buffer): boolean {
  try {
    checked(libc().connect(fd, address, address.length), 'connect');
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ECONNREFUSED') return false;
    if (error instanceof SystemError && error.code === 'EINPROGRESS') return true;
    throw error;
  }
}

/** The `struct sockaddr` that the kernel gave to a socket. */
export function localAddress(fd: number): Buffer {
  const address = Buffer.alloc(28);
  checked(libc().getsockname(fd, address, int32(address.length)), 'getsockname');
  return address;
}

/** The port that the kernel gave to a socket. */
export function localPort(fd: number): number {
  return localAddress(fd).readUInt16BE(2);
}

export function setOption(fd: number, [level, name]: SocketOption, value: number | Buffer): void {
  const bytes = typeof value === 'number' ? int32(value) : value;
  checked(libc().setsockopt(fd, level, name, bytes, bytes.length), 'setsockopt');
}

export function getOption(fd: number, [level, name]: SocketOption): number {
  const value = int32(0);
  checked(libc().getsockopt(fd, level, name, value, int32(value.length)), 'getsockopt');
  return value.readInt32LE(0);
}

const departure = Buffer.alloc(16);

/**
 * Sends a packet and returns when: `realtimeNs` right before it went to the kernel.
 * @throws {SystemError} also for an ICMP error that an earlier packet of this socket met; sending again is then right
 */
export function sendTo(fd: number, data: Buffer, address: Buffer): number {
  const { sendto, clock_gettime } = libc();
  const length = BigInt(data.length);
  // Everything between these two calls counts as round trip.
  clock_gettime(CLOCK_REALTIME, departure);
  const result = sendto(fd, data, length, MSG_DONTWAIT, address, address.length);
  checked(result, 'sendto');
  return timespecNs(departure, 0);
}

const TCP_INFO: SocketOption = [IPPROTO_TCP, 11];
const tcpInfo = { rtt: 68, totalRetransmissions: 100 } as const;
const info = Buffer.alloc(104);
const infoLength = Buffer.alloc(4);

/**
 * How long the handshake of a TCP socket that has just connected took, as the kernel measured it, in milliseconds; zero if
 * it cannot say, because a packet was sent again.
 */
export function handshakeMs(fd: number): number {
  return retransmissions(fd) > 0 ? 0 : info.readUInt32LE(tcpInfo.rtt) / 1000;
}

/** How many packets of a TCP socket were sent again, the SYN included. */
export function retransmissions(fd: number): number {
  infoLength.writeUInt32LE(info.length);
  checked(libc().getsockopt(fd, ...TCP_INFO, info, infoLength), 'getsockopt');
  return info.readUInt32LE(tcpInfo.totalRetransmissions);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
