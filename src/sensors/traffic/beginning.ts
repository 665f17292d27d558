import type { ContactDirection } from '../../core/record.ts';
import { etherTypes, protocols, tcpFlags } from './counting-rules.ts';
import type { FirstPacket, PeerCount } from './peer-counter.ts';
import { isNeighbourDiscovery, transportOf } from './ring-packet.ts';

/** What one packet says of who speaks to whom. */
export interface SeenTransport extends Omit<FirstPacket, 'atNs'> {
  readonly direction: 'in' | 'out';
}

/** Who contacted whom, and for what. */
export interface Beginning {
  readonly direction: ContactDirection;
  /** `tcp`, `udp`, `icmp`, or the number of the protocol. */
  readonly protocol: string;
  /** Port of the side that was contacted; of what was not seen from its beginning, the lower one. */
  readonly port?: number;
}

/** The transport header of an IP packet that was handed up. */
export function seenTransport(bytes: Buffer, direction: 'in' | 'out'): SeenTransport {
  const protocol = (bytes[0] ?? 0) >> 4 === 6 ? etherTypes.ipv6 : etherTypes.ipv4;
  const { data: _data, ...header } = transportOf({ bytes, start: 0, end: bytes.length, protocol });
  return { direction, ...header };
}

/** The first directed packet between this machine and a peer; undefined if there was none. */
export function firstOf({ firstSent, firstReceived }: PeerCount): SeenTransport | undefined {
  const isSentFirst = (firstSent?.atNs ?? Infinity) < (firstReceived?.atNs ?? Infinity);
  const first = isSentFirst ? firstSent : firstReceived;
  if (!first) return undefined;
  const { atNs: _atNs, ...header } = first;
  return { direction: isSentFirst ? 'out' : 'in', ...header };
}

/**
 * What a packet says of the beginning of a contact; undefined if it begins none: an ICMP error is about another packet. TCP tells
 * by its flags, ICMP echo by its type. UDP does not: the sender began, unless it answers from the port of a service.
 */
export function beginningOf(seen: SeenTransport): Beginning | undefined {
  const { direction, protocol } = seen;
  if (protocol === protocols.tcp) return tcpBeginning(seen);
  if (protocol === protocols.udp) return udpBeginning(seen);
  if (protocol === protocols.icmp || protocol === protocols.icmpv6) return icmpBeginning(seen);
  return { direction, protocol: String(protocol) };
}

function tcpBeginning({ direction, flags, sourcePort, destinationPort }: SeenTransport): Beginning {
  const begins = flags & (tcpFlags.syn | tcpFlags.ack);
  if (begins === tcpFlags.syn) return { direction, protocol: 'tcp', port: destinationPort };
  if (begins === (tcpFlags.syn | tcpFlags.ack))
    return { direction: opposite(direction), protocol: 'tcp', port: sourcePort };
  return { direction: 'unknown', protocol: 'tcp', port: Math.min(sourcePort, destinationPort) };
}

/** RFC 6335 section 6: services that need an assignment are below 1024. */
const systemPorts = 1024;

function udpBeginning({ direction, sourcePort, destinationPort }: SeenTransport): Beginning {
  const isAnswer = sourcePort < systemPorts && destinationPort >= systemPorts;
  if (isAnswer) return { direction: 'unknown', protocol: 'udp', port: sourcePort };
  return { direction, protocol: 'udp', port: destinationPort };
}

/** RFC 792 and RFC 4443: errors and echoes by their types. */
const icmp = { errors: [3, 4, 5, 11, 12], reply: 0 } as const;
const icmpv6 = { errors: [1, 2, 3, 4], reply: 129 } as const;

function icmpBeginning({ direction, protocol, flags: type }: SeenTransport): Beginning | undefined {
  const types: { readonly errors: readonly number[]; readonly reply: number } =
    protocol === protocols.icmpv6 ? icmpv6 : icmp;
  if (types.errors.includes(type) || isNeighbourDiscovery({ protocol, flags: type })) return undefined;
  return { direction: type === types.reply ? opposite(direction) : direction, protocol: 'icmp' };
}

function opposite(direction: 'in' | 'out'): 'in' | 'out' {
  return direction === 'in' ? 'out' : 'in';
}

/** Programs answer from these ports who asks the whole link (NetBIOS, SSDP, WS-Discovery, mDNS, LLMNR) or for an address (DHCP). */
const discoveryPorts: readonly number[] = [67, 68, 137, 138, 546, 547, 1900, 3702, 5353, 5355];

/** True for what programs send by themselves when somebody asks everybody on the link. */
export function isDiscovery({ protocol, sourcePort }: SeenTransport): boolean {
  return protocol === protocols.udp && discoveryPorts.includes(sourcePort);
}
