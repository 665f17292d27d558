import { ipv6Payload, type IpPayload } from '../../net/packets/ipv6.ts';
import type { RingPacket } from '../../sys/packet-ring.ts';
import { packetTypes } from '../../sys/packet-socket.ts';
import { discoveryTypes, echoRequests, etherTypes, namingPorts, protocols, tcpFlags } from './counting-rules.ts';

// The filter's rules (peer-filter.ts, filter-hand-up.ts), applied to one packet of a ring.

/** What the transport header says; zeros where there is none or it is cut off. */
export interface Transport {
  /** 0 for a later fragment. */
  readonly protocol: number;
  /** Flags of TCP, or the type of an ICMP message. */
  readonly flags: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Where the data of TCP or UDP begins. */
  readonly data: number;
}

export function isOutgoing({ type }: RingPacket): boolean {
  return type === packetTypes.outgoing;
}

/** The IP packet among the bytes of a ring, or any other one. */
export type PacketBytes = Pick<RingPacket, 'bytes' | 'start' | 'end' | 'protocol'>;

/** Called up to 100,000 times a second, so it creates few objects. */
export function transportOf({ bytes, start, end, protocol: etherType }: PacketBytes): Transport {
  const { protocol, at } = etherType === etherTypes.ipv6 ? ipv6Payload(bytes, start, end) : ipv4Payload(bytes, start);
  const isTcp = protocol === protocols.tcp;
  if ((isTcp || protocol === protocols.udp) && at + (isTcp ? 14 : 8) <= end)
    return {
      protocol,
      flags: isTcp ? bytes.readUInt8(at + 13) : 0,
      sourcePort: bytes.readUInt16BE(at),
      destinationPort: bytes.readUInt16BE(at + 2),
      data: at + (isTcp ? 4 * (bytes.readUInt8(at + 12) >> 4) : 8),
    };
  const flags = isIcmp(protocol) && at < end ? bytes.readUInt8(at) : 0;
  return { protocol, flags, sourcePort: 0, destinationPort: 0, data: end };
}

/** Protocol 0 for a later fragment, which has no transport header. */
function ipv4Payload(bytes: Buffer, start: number): IpPayload {
  const isFirstFragment = (bytes.readUInt16BE(start + 6) & 0x1fff) === 0;
  return {
    protocol: isFirstFragment ? bytes.readUInt8(start + 9) : 0,
    at: start + 4 * (bytes.readUInt8(start) & 0x0f),
  };
}

function isIcmp(protocol: number): boolean {
  return protocol === protocols.icmp || protocol === protocols.icmpv6;
}

/** True for a multicast group of IPv4 or IPv6, and for 255.255.255.255. */
export function isForGroup({ bytes, start, protocol }: RingPacket): boolean {
  return protocol === etherTypes.ipv6 ? bytes.readUInt8(start + 24) === 0xff : bytes.readUInt8(start + 16) >= 224;
}

/** True for the ARP of IPv6. */
export function isNeighbourDiscovery({ protocol, flags }: Pick<Transport, 'protocol' | 'flags'>): boolean {
  return protocol === protocols.icmpv6 && flags >= discoveryTypes.first && flags <= discoveryTypes.last;
}

/** True for a sent DNS question, a received DNS answer and a sent ClientHello. */
export function bearsNames(packet: RingPacket, { protocol, sourcePort, destinationPort, data }: Transport): boolean {
  const isSent = isOutgoing(packet);
  if (protocol === protocols.udp)
    return isSent ? namingPorts.dnsQuestions.includes(destinationPort) : namingPorts.dnsAnswers.includes(sourcePort);
  if (protocol !== protocols.tcp || !isSent || !namingPorts.tls.includes(destinationPort)) return false;
  const { bytes, end } = packet;
  return data + 6 <= end && bytes.readUInt8(data) === 22 && bytes.readUInt8(data + 5) === 1;
}

/** A number for the port from which a datagram asks everybody on the link; undefined for other packets. */
export function askingPortOf(packet: RingPacket, { protocol, sourcePort }: Transport): number | undefined {
  const direction = isOutgoing(packet) ? 1 << 8 : 0;
  return protocol === protocols.udp && sourcePort > 0
    ? (sourcePort * 2 ** 16) | (1 << 9) | direction | protocol
    : undefined;
}

/** A number for the service that the packet asks for; undefined if it asks for none. */
export function serviceOf(packet: RingPacket, { protocol, flags, ...ports }: Transport): number | undefined {
  const direction = isOutgoing(packet) ? 1 << 8 : 0;
  const { sourcePort, destinationPort } = ports;
  const hasPorts = sourcePort > 0 || destinationPort > 0;
  if (!hasPorts && (protocol === protocols.udp || protocol === protocols.tcp)) return undefined;
  if (protocol === protocols.udp) return (Math.min(sourcePort, destinationPort) << 16) | protocol;
  if (protocol === protocols.tcp)
    return (flags & (tcpFlags.syn | tcpFlags.ack)) === tcpFlags.syn
      ? (destinationPort << 16) | direction | protocol
      : undefined;
  return isEchoRequest(protocol, flags) ? direction | protocol : undefined;
}

function isEchoRequest(protocol: number, type: number): boolean {
  const { 4: ipv4, 6: ipv6 } = echoRequests;
  return (protocol === ipv4.protocol && type === ipv4.type) || (protocol === ipv6.protocol && type === ipv6.type);
}
