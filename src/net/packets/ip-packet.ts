import type { Buffer } from 'node:buffer';
import { decodeIpv4Header } from './ip.ts';
import { ipv6Payload, ipv6Text } from './ipv6.ts';

/** Numbers of the protocols that we look into. */
export const ipProtocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

/** An IP packet, read from its first bytes; it may be cut off anywhere. */
export interface IpPacket {
  readonly source: string;
  readonly destination: string;
  /** For IPv6, the protocol behind the extension headers. */
  readonly protocol: number;
  /** For TCP and UDP, if the packet has their header; a later fragment has none. */
  readonly ports: { readonly source: number; readonly destination: number } | undefined;
  /** The payload of TCP, UDP or another protocol; for ICMP its whole message. Empty where there is none or it is cut off. */
  readonly payload: Buffer;
}

const ipv6HeaderBytes = 40;

/** Reads IPv4 (RFC 791 section 3.1) and IPv6 (RFC 8200 section 3); undefined if it is neither. */
export function decodeIpPacket(packet: Buffer): IpPacket | undefined {
  const ipv4 = decodeIpv4Header(packet);
  if (ipv4) {
    const isLaterFragment = (packet.readUInt16BE(6) & 0x1fff) !== 0;
    return {
      source: packet.subarray(12, 16).join('.'),
      destination: packet.subarray(16, 20).join('.'),
      protocol: ipv4.protocol,
      ...(isLaterFragment ? noTransport(packet) : transportOf(ipv4.protocol, packet.subarray(ipv4.headerBytes))),
    };
  }
  if (packet.length < ipv6HeaderBytes || packet.readUInt8(0) >> 4 !== 6) return undefined;
  const { protocol, at } = ipv6Payload(packet);
  return {
    source: ipv6Text(packet.subarray(8, 24)),
    destination: ipv6Text(packet.subarray(24, 40)),
    protocol,
    ...(protocol === 0 ? noTransport(packet) : transportOf(protocol, packet.subarray(at))),
  };
}

type Transport = Pick<IpPacket, 'ports' | 'payload'>;

function transportOf(protocol: number, segment: Buffer): Transport {
  const isTcp = protocol === ipProtocols.tcp;
  if (!isTcp && protocol !== ipProtocols.udp) return { ports: undefined, payload: segment };
  if (segment.length < 4) return noTransport(segment);
  const ports = { source: segment.readUInt16BE(0), destination: segment.readUInt16BE(2) };
  return { ports, payload: segment.subarray(isTcp ? tcpHeaderBytes(segment) : 8) };
}

/** RFC 9293 section 3.1: the data offset counts words of four bytes. */
function tcpHeaderBytes(segment: Buffer): number {
  return segment.length < 20 ? segment.length : 4 * (segment.readUInt8(12) >> 4);
}

function noTransport(bytes: Buffer): Transport {
  return { ports: undefined, payload: bytes.subarray(bytes.length) };
}
