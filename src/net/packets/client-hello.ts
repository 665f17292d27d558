import type { Buffer } from 'node:buffer';

const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const hostName = 0;

/** Where the session id stands: behind record header, handshake header, version and random (RFC 8446 section 4.1.2). */
const sessionIdAt = 5 + 4 + 2 + 32;

/**
 * The name for which a TLS client asks (RFC 6066 section 3), a character a byte; undefined if the bytes are no ClientHello,
 * have no name in them or end before it.
 */
export function serverNameOf(bytes: Buffer): string | undefined {
  if (bytes[0] !== handshakeRecord || bytes[5] !== clientHello) return undefined;
  const cipherSuitesAt = sessionIdAt + 1 + u8(bytes, sessionIdAt);
  const compressionAt = cipherSuitesAt + 2 + u16(bytes, cipherSuitesAt);
  const extensionsAt = compressionAt + 1 + u8(bytes, compressionAt) + 2;
  for (let at = extensionsAt; at + 4 <= bytes.length; at += 4 + u16(bytes, at + 2))
    if (u16(bytes, at) === serverNameExtension) return firstName(bytes, at + 4);
  return undefined;
}

/** A list: its length, then of each name its type, its length and itself. There is only one in practice. */
function firstName(bytes: Buffer, at: number): string | undefined {
  const start = at + 5;
  const end = start + u16(bytes, at + 3);
  const isWhole = u8(bytes, at + 2) === hostName && end > start && end <= bytes.length;
  return isWhole ? bytes.toString('latin1', start, end) : undefined;
}

// Past the end reads as NaN, and every comparison with NaN is false.
function u8(bytes: Buffer, at: number): number {
  return bytes[at] ?? NaN;
}

function u16(bytes: Buffer, at: number): number {
  return u8(bytes, at) * 256 + u8(bytes, at + 1);
}
