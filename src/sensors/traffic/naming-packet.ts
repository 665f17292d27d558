import type { RingPacket } from '../../sys/packet-ring.ts';
import { packetTypes } from '../../sys/packet-socket.ts';
import { etherTypes, namingPorts, protocols } from './counting-rules.ts';

/** True for a received DNS answer and a sent ClientHello: the filter's rule, applied to one packet. */
export function bearsNames(packet: RingPacket): boolean {
  const isOutgoing = packet.type === packetTypes.outgoing;
  const protocol = protocolOf(packet);
  if (protocol === protocols.udp) return !isOutgoing && isDnsAnswer(packet);
  return protocol === protocols.tcp && isOutgoing && isClientHello(packet);
}

/** The transport protocol; 0 for a later fragment, which has no ports. */
function protocolOf({ bytes, start, protocol }: RingPacket): number {
  if (protocol === etherTypes.ipv6) return bytes.readUInt8(start + 6);
  const isFirstFragment = (bytes.readUInt16BE(start + 6) & 0x1fff) === 0;
  return isFirstFragment ? bytes.readUInt8(start + 9) : 0;
}

function transportOf({ bytes, start, protocol }: RingPacket): number {
  return start + (protocol === etherTypes.ipv6 ? 40 : 4 * (bytes.readUInt8(start) & 0x0f));
}

function isDnsAnswer(packet: RingPacket): boolean {
  const transport = transportOf(packet);
  return transport + 8 <= packet.end && namingPorts.dns.includes(packet.bytes.readUInt16BE(transport));
}

function isClientHello(packet: RingPacket): boolean {
  const { bytes, end } = packet;
  const transport = transportOf(packet);
  if (transport + 14 > end || !namingPorts.tls.includes(bytes.readUInt16BE(transport + 2))) return false;
  const data = transport + 4 * (bytes.readUInt8(transport + 12) >> 4);
  return data + 6 <= end && bytes.readUInt8(data) === 22 && bytes.readUInt8(data + 5) === 1;
}
