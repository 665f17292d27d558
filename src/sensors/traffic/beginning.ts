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
 * What a packet says of the beginning of a contact; undefined if it begins none: an ICMP error is about another packet, a reset ends
 * a connection. TCP tells by its flags, ICMP by its type. UDP does not: the sender began, unless it answers from the port of a
 * service. Only what this machine's own packets say of it is believed: an answer that comes in may be to a question that nobody asked.
 */
export function beginningOf(seen: SeenTransport): Beginning | undefined {
  const { direction, protocol } = seen;
  if (protocol === protocols.tcp) return tcpBeginning(seen);
  if (protocol === protocols.udp) return udpBeginning(seen);
  if (protocol === protocols.icmp || protocol === protocols.icmpv6) return icmpBeginning(seen);
  return { direction, protocol: protocol === 0 ? laterFragment : String(protocol) };
}

/** Of a packet that has no transport header. */
const laterFragment = 'fragment';

/** True for what has no ports or types by which an answer differs from a question: only the first packet of all begins something. */
export function isWithoutTransport({ protocol }: Beginning): boolean {
  return protocol === laterFragment || /^\d/.test(protocol);
}

/** Who began, by an answer: an own one was asked for by the peer, a received one perhaps by nobody. */
function askedBy(direction: 'in' | 'out'): ContactDirection {
  return direction === 'out' ? 'in' : 'unknown';
}

function tcpBeginning({ direction, flags, sourcePort, destinationPort }: SeenTransport): Beginning | undefined {
  if ((flags & tcpFlags.reset) !== 0) return undefined;
  const begins = flags & (tcpFlags.syn | tcpFlags.ack);
  if (begins === tcpFlags.syn) return { direction, protocol: 'tcp', port: destinationPort };
  if (begins === (tcpFlags.syn | tcpFlags.ack))
    return { direction: askedBy(direction), protocol: 'tcp', port: sourcePort };
  const port = Math.min(sourcePort, destinationPort);
  return { direction: 'unknown', protocol: 'tcp', ...(port > 0 && { port }) };
}

/** RFC 6335 section 6: services that need an assignment are below 1024. */
const systemPorts = 1024;

function udpBeginning({ direction, sourcePort, destinationPort }: SeenTransport): Beginning {
  // A header that is cut off has no ports.
  if (destinationPort === 0) return { direction, protocol: 'udp' };
  const isAnswer = sourcePort < systemPorts && destinationPort >= systemPorts;
  if (isAnswer) return { direction: 'unknown', protocol: 'udp', port: sourcePort };
  return { direction, protocol: 'udp', port: destinationPort };
}

interface IcmpTypes {
  /** Errors about other packets, and what routers and hosts say to keep the link in order. */
  readonly upkeep: readonly number[];
  /** Type of a reply, and of its request. */
  readonly replies: ReadonlyMap<number, number>;
  readonly echo: number;
}

/** RFC 792, 950, 1256, 8335. */
const icmp: IcmpTypes = {
  upkeep: [3, 4, 5, 9, 10, 11, 12],
  replies: new Map([
    [0, 8],
    [14, 13],
    [16, 15],
    [18, 17],
    [43, 42],
  ]),
  echo: 8,
};
/** RFC 4443, 2710, 3810, 3122, 3971, 4286, 4620, 8335; neighbour discovery apart. */
const icmpv6: IcmpTypes = {
  upkeep: [1, 2, 3, 4, 130, 131, 132, 141, 142, 143, 148, 149, 151, 152, 153],
  replies: new Map([
    [129, 128],
    [140, 139],
    [161, 160],
  ]),
  echo: 128,
};

function icmpBeginning({ direction, protocol, flags: type }: SeenTransport): Beginning | undefined {
  const { upkeep, replies, echo } = protocol === protocols.icmpv6 ? icmpv6 : icmp;
  if (upkeep.includes(type) || isNeighbourDiscovery({ protocol, flags: type })) return undefined;
  const request = replies.get(type);
  const asked = request ?? type;
  return {
    direction: request === undefined ? direction : askedBy(direction),
    protocol: asked === echo ? 'icmp' : `icmp/${asked}`,
  };
}

/** Programs answer from these ports who asks the whole link (NetBIOS, SSDP, WS-Discovery, mDNS, LLMNR) or for an address (DHCP). */
const discoveryPorts: readonly number[] = [67, 68, 137, 138, 546, 547, 1900, 3702, 5353, 5355];

/** True for what programs send by themselves when somebody asks everybody on the link. */
export function isDiscovery({ protocol, sourcePort }: SeenTransport): boolean {
  return protocol === protocols.udp && discoveryPorts.includes(sourcePort);
}
