/** The fields of an IPv4 header that are used here (RFC 791 section 3.1). */
export interface Ipv4Header {
  /** 20 to 60 bytes: where the payload begins. */
  readonly headerBytes: number;
  readonly ttl: number;
  readonly protocol: number;
}

/** Reads the header of an IPv4 packet; undefined if there is none. */
export function decodeIpv4Header(packet: Buffer): Ipv4Header | undefined {
  if (packet.length < 20) return undefined;
  const headerBytes = (packet.readUInt8(0) & 0x0f) * 4;
  if (packet.readUInt8(0) >> 4 !== 4 || headerBytes < 20 || headerBytes > packet.length) return undefined;
  return { headerBytes, ttl: packet.readUInt8(8), protocol: packet.readUInt8(9) };
}

/** The Internet checksum (RFC 1071): zero over bytes that carry their own. */
export function internetChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  if (bytes.length % 2 === 1) sum += bytes.readUInt8(bytes.length - 1) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
