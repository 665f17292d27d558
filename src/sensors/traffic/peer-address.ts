import { ipv6Bytes, ipv6Text } from '../../net/packets/ipv6.ts';

/** Where the four bytes of an IPv4 address begin in its form of 16 (RFC 4291 section 2.5.5.2). */
const ipv4At = 12;
const mapped = Buffer.from('00000000000000000000ffff', 'hex');

/** The text of an address of 16 bytes; `::ffff:192.0.2.1` is `192.0.2.1`. */
export function addressText(bytes: Buffer): string {
  if (bytes.compare(mapped, 0, ipv4At, 0, ipv4At) !== 0) return ipv6Text(bytes);
  return ipv4Text(bytes.subarray(ipv4At));
}

/** The text of four bytes. */
export function ipv4Text(bytes: Buffer): string {
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

/** The 16 bytes of an address. */
export function addressBytes(text: string): Buffer {
  return ipv6Bytes(text.includes(':') ? text : `::ffff:${text}`);
}
