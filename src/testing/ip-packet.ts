import { internetChecksum } from '../net/packets/ip.ts';

interface PacketWanted {
  readonly source: string;
  readonly destination: string;
  /** 17 is UDP, 6 TCP. */
  readonly protocol: number;
  readonly payload: Buffer;
  /** In units of 8 bytes. */
  readonly fragmentOffset?: number;
}

/** An IPv4 packet (RFC 791). */
export function ipv4Packet({ source, destination, protocol, payload, fragmentOffset = 0 }: PacketWanted): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(header.length + payload.length, 2);
  // An identification of zero the kernel replaces by its own.
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(fragmentOffset, 6);
  header.writeUInt8(64, 8);
  header.writeUInt8(protocol, 9);
  for (const [index, address] of [source, destination].entries())
    Buffer.from(address.split('.').map(Number)).copy(header, 12 + 4 * index);
  header.writeUInt16BE(internetChecksum(header), 10);
  return Buffer.concat([header, payload]);
}

type Ports = readonly [source: number, destination: number];

/** A UDP datagram (RFC 768) without a checksum. */
export function udpDatagram([source, destination]: Ports, data: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(source, 0);
  header.writeUInt16BE(destination, 2);
  header.writeUInt16BE(header.length + data.length, 4);
  return Buffer.concat([header, data]);
}
