import { ipv6Bytes } from '../packets/ipv6.ts';

interface Embedding {
  /** Hexadecimal digits that the address begins with. */
  readonly prefix: string;
  /** Where the four bytes are. */
  readonly at: number;
  readonly inverted?: boolean;
}

/** How IPv6 addresses carry IPv4 ones; a packet to such an address may end up at the IPv4 address. */
const embeddings: readonly Embedding[] = [
  // IPv4-compatible and IPv4-mapped (RFC 4291, section 2.5.5), IPv4-translated (RFC 7915).
  { prefix: '000000000000000000000000', at: 12 },
  { prefix: '00000000000000000000ffff', at: 12 },
  { prefix: '0000000000000000ffff0000', at: 12 },
  // NAT64 (RFC 6052) and 6to4 (RFC 3056).
  { prefix: '0064ff9b0000000000000000', at: 12 },
  { prefix: '2002', at: 2 },
  // Teredo's server, and its client with every bit inverted (RFC 4380, section 4).
  { prefix: '20010000', at: 4 },
  { prefix: '20010000', at: 12, inverted: true },
];

/** ISATAP's interface identifier (RFC 5214, section 6.1) may follow any prefix. */
const isatap = /^[\da-f]{16}0[02]005efe/;

/** Every IPv4 address that an IPv6 address, without a zone, may stand for. */
export function embeddedIpv4(ip: string): readonly string[] {
  const bytes = ipv6Bytes(ip);
  const digits = bytes.toString('hex');
  // Loopback and unspecified look like IPv4-compatible addresses, but are not.
  if (/^0{31}[01]$/.test(digits)) return [];
  const found = embeddings
    .filter(({ prefix }) => digits.startsWith(prefix))
    .map(({ at, inverted }) => dotted(bytes.subarray(at, at + 4), inverted));
  return isatap.test(digits) ? [...found, dotted(bytes.subarray(12))] : found;
}

function dotted(bytes: Buffer, inverted = false): string {
  return Array.from(bytes, (byte) => (inverted ? 255 - byte : byte)).join('.');
}
