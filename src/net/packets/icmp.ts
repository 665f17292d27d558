import { internetChecksum } from './ip.ts';

// Echo in ICMP (RFC 792) and ICMPv6 (RFC 4443 section 4): type, code, checksum, identifier, sequence, payload.
type Family = 4 | 6;

export const icmpProtocol = { 4: 1, 6: 58 } as const;
export const echoTypes = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;

const headerBytes = 8;
const complementBytes = 2;

export interface Echo {
  readonly kind: 'request' | 'reply';
  readonly identifier: number;
  readonly sequence: number;
  /** A window into the packet. */
  readonly payload: Buffer;
}

interface EchoRequestFields {
  readonly identifier: number;
  /** Payload bytes, 0 to 65,507. */
  readonly size: number;
  /** Marks the packets of one sender; it is cut where the payload is too short for it. */
  readonly cookie: Buffer;
}

/**
 * An echo request that `numberEchoRequest` fills in. Its payload begins with the complement of the sequence number, so
 * that every packet has the same checksum: routers that spread load by it keep sending all of them the same way.
 */
export function encodeEchoRequest(family: Family, { identifier, size, cookie }: EchoRequestFields): Buffer {
  const packet = Buffer.alloc(headerBytes + size);
  packet.writeUInt8(echoTypes[family].request, 0);
  packet.writeUInt16BE(identifier, 4);
  cookie.copy(packet, headerBytes + complementBytes);
  return numberEchoRequest(packet, 0);
}

/** Writes the sequence number and what depends on it. ICMPv6 checksums are the kernel's work (RFC 3542 section 3.1). */
export function numberEchoRequest(packet: Buffer, sequence: number): Buffer {
  packet.writeUInt16BE(sequence, 6);
  const keepsChecksum = packet.length >= headerBytes + complementBytes;
  if (keepsChecksum) packet.writeUInt16BE(~sequence & 0xffff, headerBytes);
  if (packet.readUInt8(0) !== echoTypes[4].request) return packet;
  if (keepsChecksum && packet.readUInt16BE(2) !== 0) return packet;
  packet.writeUInt16BE(0, 2);
  packet.writeUInt16BE(internetChecksum(packet), 2);
  return packet;
}

/** Reads an echo request or reply; undefined for anything else. The payload may be cut, as routers quote it. */
export function decodeEcho(family: Family, packet: Buffer): Echo | undefined {
  if (packet.length < headerBytes) return undefined;
  const type = packet.readUInt8(0);
  const kind = type === echoTypes[family].reply ? 'reply' : 'request';
  if (type !== echoTypes[family][kind] || packet.readUInt8(1) !== 0) return undefined;
  return {
    kind,
    identifier: packet.readUInt16BE(4),
    sequence: packet.readUInt16BE(6),
    payload: packet.subarray(headerBytes),
  };
}

/** True unless the payload carries the mark of another sender. A payload that is too short for a mark counts as ours. */
export function carriesCookie(payload: Buffer, cookie: Buffer): boolean {
  const carried = payload.subarray(complementBytes, complementBytes + cookie.length);
  return carried.equals(cookie.subarray(0, carried.length));
}

/** Reads an ICMP error about a packet. */
interface Explanation {
  readonly kind: 'time-exceeded' | 'unreachable' | 'port-unreachable' | 'too-big' | 'other';
  /** In words: `host unreachable`. */
  readonly text: string;
  /** The largest packet that fits, where the error says so. */
  readonly mtu?: number;
}

const unreachableTexts = {
  // RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1.
  4: [
    'network unreachable',
    'host unreachable',
    'protocol unreachable',
    'port unreachable',
    'fragmentation needed',
    'source route failed',
    'network unknown',
    'host unknown',
    'source host isolated',
    'network administratively prohibited',
    'host administratively prohibited',
    'network unreachable for this type of service',
    'host unreachable for this type of service',
    'communication administratively prohibited',
    'host precedence violation',
    'precedence cutoff in effect',
  ],
  // RFC 4443 section 3.1.
  6: [
    'no route to destination',
    'communication administratively prohibited',
    'beyond the scope of the source address',
    'address unreachable',
    'port unreachable',
    'source address failed policy',
    'route to destination rejected',
  ],
} as const;

const errorTypes = {
  4: { unreachable: 3, timeExceeded: 11, parameterProblem: 12, tooBig: undefined, portCode: 3 },
  6: { unreachable: 1, timeExceeded: 3, parameterProblem: 4, tooBig: 2, portCode: 4 },
} as const;

interface IcmpErrorFields {
  readonly type: number;
  readonly code: number;
  /** Next-hop MTU of `fragmentation needed` (RFC 1191) and `packet too big`; 0 where an old router does not say. */
  readonly mtu: number;
}

/**
 * An ICMP error in words; undefined for a message that says nothing of the packet's fate: a Redirect is advice to the
 * sender (RFC 792), a Source Quench is to be ignored (RFC 6633), and ICMPv6 messages from type 128 are no errors.
 */
export function explainIcmpError(family: Family, { type, code, mtu }: IcmpErrorFields): Explanation | undefined {
  const types = errorTypes[family];
  const fragmentationNeeded = family === 4 && type === types.unreachable && code === 4;
  if (type === types.tooBig || fragmentationNeeded)
    return { kind: 'too-big', text: 'packet too big', ...(mtu > 0 && { mtu }) };
  if (type === types.timeExceeded) {
    const text = code === 0 ? 'time to live exceeded' : 'fragments came too late';
    return { kind: 'time-exceeded', text };
  }
  if (type === types.unreachable) return explainUnreachable(family, code);
  if (type === types.parameterProblem) return { kind: 'other', text: `parameter problem, code ${code}` };
  // RFC 4443 section 2.4: an unknown error is reported to the sender of the packet. ICMPv4 has no others.
  return family === 6 && type < 128 ? { kind: 'other', text: `ICMPv6 error type ${type} code ${code}` } : undefined;
}

function explainUnreachable(family: Family, code: number): Explanation {
  const text = unreachableTexts[family][code] ?? `unreachable, code ${code}`;
  return { kind: code === errorTypes[family].portCode ? 'port-unreachable' : 'unreachable', text };
}
