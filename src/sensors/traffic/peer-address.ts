import { ipv6Bytes, ipv6Text } from '../../net/packets/ipv6.ts';

/** Offset of the IPv4 address in its IPv4-mapped form (RFC 4291 section 2.5.5.2). */
const ipv4At = 12;
const mapped = Buffer.from('00000000000000000000ffff', 'hex');

/** The text of an address of 16 bytes; `::ffff:192.0.2.1` is `192.0.2.1`. */
export function addressText(bytes: Buffer, start = 0): string {
  const isIpv4 = bytes.compare(mapped, 0, ipv4At, start, start + ipv4At) === 0;
  return isIpv4 ? ipv4Text(bytes, start + ipv4At) : ipv6Text(bytes.subarray(start));
}

/** The text of an address of four. */
export function ipv4Text(bytes: Buffer, start = 0): string {
  return `${bytes[start]}.${bytes[start + 1]}.${bytes[start + 2]}.${bytes[start + 3]}`;
}

/** The 16 bytes of an address. */
export function addressBytes(text: string): Buffer {
  return ipv6Bytes(text.includes(':') ? text : `::ffff:${text}`);
}
