import { Buffer } from 'node:buffer';

/** NTP packets, bytes ↔ data: RFC 5905, section 7.3. Extension fields and the authenticator are not read. */
export const ntpPacketBytes = 48;

/** A 64-bit NTP timestamp: 32 bits of seconds since 1900, 32 bits of fraction (RFC 5905, section 6). */
export type NtpTimestamp = bigint;

export const modes = { client: 3, server: 4 } as const;

export interface NtpPacket {
  /** 0 none, 1 and 2 leap second at the end of the day, 3 the clock is not synchronised. */
  readonly leap: number;
  readonly version: number;
  readonly mode: number;
  /** 0 kiss of death, 1 has a reference clock, 2–15 follows another server, 16 not synchronised. */
  readonly stratum: number;
  /** log2 seconds. */
  readonly poll: number;
  /** log2 seconds. */
  readonly precision: number;
  readonly rootDelayMs: number;
  readonly rootDispersionMs: number;
  /** Four bytes; what they mean depends on the stratum. */
  readonly referenceId: Buffer;
  readonly reference: NtpTimestamp;
  readonly origin: NtpTimestamp;
  readonly receive: NtpTimestamp;
  readonly transmit: NtpTimestamp;
}

/** Undefined if the bytes are too few for a packet. */
export function decodeNtp(bytes: Buffer): NtpPacket | undefined {
  if (bytes.length < ntpPacketBytes) return undefined;
  const first = bytes.readUInt8(0);
  return {
    leap: first >> 6,
    version: (first >> 3) & 7,
    mode: first & 7,
    stratum: bytes.readUInt8(1),
    poll: bytes.readInt8(2),
    precision: bytes.readInt8(3),
    rootDelayMs: shortToMs(bytes.readUInt32BE(4)),
    rootDispersionMs: shortToMs(bytes.readUInt32BE(8)),
    referenceId: Buffer.from(bytes.subarray(12, 16)),
    reference: bytes.readBigUInt64BE(16),
    origin: bytes.readBigUInt64BE(24),
    receive: bytes.readBigUInt64BE(32),
    transmit: bytes.readBigUInt64BE(40),
  };
}

export function encodeNtp(packet: NtpPacket): Buffer {
  const bytes = Buffer.alloc(ntpPacketBytes);
  bytes.writeUInt8((packet.leap << 6) | (packet.version << 3) | packet.mode, 0);
  bytes.writeUInt8(packet.stratum, 1);
  bytes.writeInt8(packet.poll, 2);
  bytes.writeInt8(packet.precision, 3);
  bytes.writeUInt32BE(msToShort(packet.rootDelayMs), 4);
  bytes.writeUInt32BE(msToShort(packet.rootDispersionMs), 8);
  packet.referenceId.copy(bytes, 12, 0, 4);
  bytes.writeBigUInt64BE(packet.reference, 16);
  bytes.writeBigUInt64BE(packet.origin, 24);
  bytes.writeBigUInt64BE(packet.receive, 32);
  bytes.writeBigUInt64BE(packet.transmit, 40);
  return bytes;
}

/** A client's request. It tells nothing but its transmit timestamp, for which a random number does as well. */
export function encodeNtpRequest(transmit: NtpTimestamp): Buffer {
  const nothing = { leap: 0, stratum: 0, poll: 0, precision: 0, rootDelayMs: 0, rootDispersionMs: 0 };
  const never = { reference: 0n, origin: 0n, receive: 0n, referenceId: Buffer.alloc(4) };
  return encodeNtp({ ...nothing, ...never, version: 4, mode: modes.client, transmit });
}

/** From 1900 to 1970: 70 years with 17 leap days. */
const unixEpochSeconds = 2_208_988_800;
const eraMs = 2 ** 32 * 1000;

/**
 * A timestamp as epoch milliseconds. It does not say which era of 136 years it counts in (the next begins in February
 * 2036), so the one nearest to `nearMs` is taken (RFC 5905, section 6).
 */
export function timestampToMs(timestamp: NtpTimestamp, nearMs: number): number {
  const seconds = Number(timestamp >> 32n);
  const fractionMs = (Number(timestamp & 0xffff_ffffn) / 2 ** 32) * 1000;
  const inFirstEraMs = (seconds - unixEpochSeconds) * 1000 + fractionMs;
  const era = Math.round((nearMs - inFirstEraMs) / eraMs);
  return inFirstEraMs + era * eraMs;
}

export function msToTimestamp(epochMs: number): NtpTimestamp {
  const wholeSeconds = Math.floor(epochMs / 1000);
  const fraction = Math.floor(((epochMs - wholeSeconds * 1000) / 1000) * 2 ** 32);
  const seconds = BigInt.asUintN(32, BigInt(wholeSeconds + unixEpochSeconds));
  return (seconds << 32n) | BigInt(fraction);
}

/** The reference id for people: a clock's name (`GPS`) or a kiss code at strata 0 and 1, else the server it follows. */
export function showReferenceId(referenceId: Buffer, stratum: number): string {
  if (stratum > 1) return [...referenceId].join('.');
  const text = referenceId.toString('latin1').replace(/\0+$/, '');
  return /^[\x20-\x7e]*$/.test(text) ? text : referenceId.toString('hex');
}

/** 16 bits of seconds, 16 bits of fraction. */
function shortToMs(short: number): number {
  return (short / 65_536) * 1000;
}

function msToShort(durationMs: number): number {
  return Math.min(0xffff_ffff, Math.round((durationMs / 1000) * 65_536));
}
