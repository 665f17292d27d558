import { ipv6Bytes, ipv6Text } from '../../net/packets/ipv6.ts';

/** Where the four bytes of an IPv4 address begin in its form of 16 (RFC 4291 section 2.5.5.2). */
const ipv4At = 12;
const mapped = Buffer.from('00000000000000000000ffff', 'hex');

/** The text of an address of 16 bytes; `::ffff:192.0.2.1` is `192.0.2.1`. */
export function addressText(bytes: Buffer): string {
  if (bytes.compare(mapped, 0, ipv4At, 0, ipv4At) !== 0) return ipv6Text(bytes);
  return `${bytes[ipv4At]}.${bytes[ipv4At + 1]}.${bytes[ipv4At + 2]}.${bytes[ipv4At + 3]}`;
}

/** The same way back. */
export function addressBytes(text: string): Buffer {
  return ipv6Bytes(text.includes(':') ? text : `::ffff:${text}`);
}
