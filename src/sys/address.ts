import { libc, SystemError } from './libc.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;

interface SocketAddress {
  readonly ip: string;
  readonly family: 4 | 6;
  readonly port?: number;
}

/** `struct sockaddr_in` or `sockaddr_in6`; an IPv6 zone (`fe80::1%eth0`) becomes the scope id. @throws {SystemError} ENODEV */
export function encodeAddress({ ip, family, port = 0 }: SocketAddress): Buffer {
  const [address = '', zone] = ip.split('%');
  const bytes = Buffer.alloc(family === 4 ? 16 : 28);
  bytes.writeUInt16LE(family === 4 ? AF_INET : AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  const written = libc().inet_pton(bytes.readUInt16LE(0), address, bytes.subarray(family === 4 ? 4 : 8));
  if (written !== 1) throw new TypeError(`expected an IPv${family} address, got ${JSON.stringify(ip)}`);
  if (zone !== undefined && family === 6) bytes.writeUInt32LE(scopeId(zone), 24);
  return bytes;
}

function scopeId(zone: string): number {
  const index = interfaceIndex(zone);
  // To the kernel zero would be any interface.
  if (index === 0) throw new SystemError('ENODEV', 'if_nametoindex');
  return index;
}

/** The number of a network interface, by its name or its number; zero if this machine has none of that name. */
export function interfaceIndex(zone: string): number {
  return /^\d{1,9}$/.test(zone) ? Number(zone) : libc().if_nametoindex(zone);
}

const addressText = Buffer.alloc(64);

/** The address in a `struct sockaddr`, without its zone; undefined if it holds none. */
export function decodeAddress(bytes: Buffer): string | undefined {
  const family = bytes.readUInt16LE(0);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  libc().inet_ntop(family, bytes.subarray(family === AF_INET ? 4 : 8), addressText, addressText.length);
  return addressText.toString('latin1', 0, addressText.indexOf(0));
}

/** True if two socket addresses name the same host; ports and zones do not count. */
export function isSameHost(one: Buffer, other: Buffer): boolean {
  const family = one.readUInt16LE(0);
  if (family !== other.readUInt16LE(0)) return false;
  if (family === AF_INET) return one.readUInt32LE(4) === other.readUInt32LE(4);
  return one.compare(other, 8, 24, 8, 24) === 0;
}
