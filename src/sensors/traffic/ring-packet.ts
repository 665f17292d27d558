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

export function transportOf(packet: PacketBytes): Transport {
  const { bytes, end } = packet;
  const [protocol, at] = protocolOf(packet);
  const none = { protocol, flags: 0, sourcePort: 0, destinationPort: 0, data: end };
  if (protocol === protocols.icmp || protocol === protocols.icmpv6)
    return at < end ? { ...none, flags: bytes.readUInt8(at) } : none;
  const isTcp = protocol === protocols.tcp;
  if ((!isTcp && protocol !== protocols.udp) || at + (isTcp ? 14 : 8) > end) return none;
  return {
    protocol,
    flags: isTcp ? bytes.readUInt8(at + 13) : 0,
    sourcePort: bytes.readUInt16BE(at),
    destinationPort: bytes.readUInt16BE(at + 2),
    data: at + (isTcp ? 4 * (bytes.readUInt8(at + 12) >> 4) : 8),
  };
}

/** The transport protocol and where its header begins; IPv6 extension headers are not read. */
function protocolOf({ bytes, start, protocol }: PacketBytes): readonly [protocol: number, at: number] {
  if (protocol === etherTypes.ipv6) return [bytes.readUInt8(start + 6), start + 40];
  const isFirstFragment = (bytes.readUInt16BE(start + 6) & 0x1fff) === 0;
  return [isFirstFragment ? bytes.readUInt8(start + 9) : 0, start + 4 * (bytes.readUInt8(start) & 0x0f)];
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
  const isEchoRequest = Object.values(echoRequests).some((echo) => echo.protocol === protocol && echo.type === flags);
  return isEchoRequest ? direction | protocol : undefined;
}
