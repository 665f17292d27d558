import type { Address } from '../../core/network.ts';
import { ipv6Bytes } from '../packets/ipv6.ts';

/** The address that the kernel would send from; undefined if it has no route to the destination. */
export type SourceLookup = (destination: Address) => SourceAddress | undefined;

export interface SourceAddress {
  readonly ip: string;
  /** Length of the prefix of its network: 24 of 192.0.2.7/24. */
  readonly prefixBits: number;
}

interface Policy {
  readonly prefix: Buffer;
  readonly bits: number;
  readonly precedence: number;
  readonly label: number;
}

/** The default policy table (RFC 6724 section 2.1), longest prefix first. */
const policies: readonly Policy[] = [
  policy('::1/128', 50, 0),
  policy('::ffff:0:0/96', 35, 4),
  policy('::/96', 1, 3),
  policy('2001::/32', 5, 5),
  policy('2002::/16', 30, 2),
  policy('3ffe::/16', 1, 12),
  policy('fec0::/10', 1, 11),
  policy('fc00::/7', 3, 13),
  policy('::/0', 40, 1),
];

function policy(network: string, precedence: number, label: number): Policy {
  const [prefix = '', bits] = network.split('/');
  return { prefix: ipv6Bytes(prefix), bits: Number(bits), precedence, label };
}

const scopes = { linkLocal: 2, siteLocal: 5, global: 14 } as const;

/** A destination with what the rules compare. The first figure that differs decides; the larger one goes first. */
interface Ranked {
  readonly address: Address;
  readonly rank: readonly number[];
  readonly prefixLength: number;
}

/**
 * Destinations in the order in which to try them (RFC 6724 section 6), by rules 1, 2, 5, 6, 8, 9 and 10. Rules 3, 4 and 7
 * are about deprecated, mobile and tunnelled source addresses, which the kernel avoids when it chooses the source.
 */
export function byPreference(destinations: readonly Address[], sourceOf: SourceLookup): readonly Address[] {
  if (destinations.length < 2) return destinations;
  const ranked = destinations.map((address) => rankOf(address, sourceOf(address)));
  // The sort is stable, which is rule 10: leave the order unchanged.
  return ranked.toSorted(compare).map(({ address }) => address);
}

function rankOf(address: Address, source: SourceAddress | undefined): Ranked {
  const bytes = mappedBytes(address.ip);
  const { precedence, label } = policyOf(bytes);
  const scope = scopeOf(bytes);
  if (!source) return { address, rank: [0, 0, 0, precedence, -scope], prefixLength: 0 };
  const from = mappedBytes(source.ip);
  const matches = [1, Number(scopeOf(from) === scope), Number(policyOf(from).label === label)];
  return { address, rank: [...matches, precedence, -scope], prefixLength: commonPrefix(address, source) };
}

function compare(one: Ranked, other: Ranked): number {
  for (const [index, figure] of one.rank.entries()) {
    const difference = (other.rank[index] ?? 0) - figure;
    if (difference !== 0) return difference;
  }
  // Rule 9 compares prefixes only within a family.
  return one.address.family === other.address.family ? other.prefixLength - one.prefixLength : 0;
}

/**
 * Bits that destination and source have in common, at most those of the source's network. An IPv4 destination in another
 * network counts as none: the sizes of IPv4 networks say nothing of nearness, and round robin would end (as in glibc).
 */
function commonPrefix({ ip, family }: Address, source: SourceAddress): number {
  const [one, other] = [mappedBytes(ip), mappedBytes(source.ip)];
  const before = family === 4 ? 96 : 0;
  const common = commonBits(one, other) - before;
  if (family === 4) return common >= source.prefixBits ? common : 0;
  return Math.min(common, source.prefixBits);
}

function commonBits(one: Buffer, other: Buffer): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? 128 : at * 8 + Math.clz32(one.readUInt8(at) ^ other.readUInt8(at)) - 24;
}

function policyOf(bytes: Buffer): Policy {
  // The last entry covers every address.
  return policies.find(({ prefix, bits }) => commonBits(prefix, bytes) >= bits) ?? policies.at(-1)!;
}

/** RFC 6724 section 3.1 and 3.2; IPv4 private addresses are global, loopback and 169.254.0.0/16 are link-local. */
function scopeOf(bytes: Buffer): number {
  if (isMapped(bytes)) {
    const isLinkLocal = bytes[12] === 127 || bytes.readUInt16BE(12) === 0xa9fe;
    return isLinkLocal ? scopes.linkLocal : scopes.global;
  }
  const first = bytes.readUInt16BE(0);
  if (first >= 0xff00) return first & 0x0f;
  if ((first & 0xffc0) === 0xfe80 || bytes.equals(ipv6Loopback)) return scopes.linkLocal;
  return (first & 0xffc0) === 0xfec0 ? scopes.siteLocal : scopes.global;
}

const ipv6Loopback = ipv6Bytes('::1');
const mappedPrefix = ipv6Bytes('::ffff:0:0').subarray(0, 12);

function isMapped(bytes: Buffer): boolean {
  return bytes.subarray(0, 12).equals(mappedPrefix);
}

/** The 16 bytes of either family, without its zone: IPv4 as an IPv4-mapped address (RFC 6724 section 3.2). */
function mappedBytes(ip: string): Buffer {
  const [bare = ip] = ip.split('%');
  return ipv6Bytes(bare.includes(':') ? bare : `::ffff:${bare}`);
}
