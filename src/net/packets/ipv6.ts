import { Buffer } from 'node:buffer';

/** What an IP packet carries; of IPv6 behind the extension headers. */
export interface IpPayload {
  /** 0 in a later fragment, which has no transport header. */
  readonly protocol: number;
  /** Where it begins; perhaps behind the end of the bytes. */
  readonly at: number;
}

const nextHeaders = { options: [0, 43, 60], fragment: 44, authentication: 51 } as const;
const headerBytes = 40;
/** More extension headers in a row are not followed. */
export const maxExtensionHeaders = 4;

/** Goes over the extension headers (RFC 8200 section 4, RFC 4302) of an IPv6 packet that begins at `start`. */
export function ipv6Payload(bytes: Buffer, start = 0, end = bytes.length): IpPayload {
  let protocol = bytes.readUInt8(start + 6);
  let at = start + headerBytes;
  for (let header = 0; header < maxExtensionHeaders && isExtension(protocol) && at + 8 <= end; header++) {
    const [next, length] = [bytes.readUInt8(at), bytes.readUInt8(at + 1)];
    if (protocol === nextHeaders.fragment && bytes.readUInt16BE(at + 2) >= 8) return { protocol: 0, at };
    if (protocol === nextHeaders.fragment) at += 8;
    else at += protocol === nextHeaders.authentication ? 4 * (length + 2) : 8 * (length + 1);
    protocol = next;
  }
  return { protocol, at };
}

function isExtension(protocol: number): boolean {
  const { options, fragment, authentication } = nextHeaders;
  return protocol === fragment || protocol === authentication || options.some((each) => each === protocol);
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`. */
export function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const runs = groups.join(':').match(/\b0(?::0\b)+/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return groups.join(':');
  const [before = '', after = ''] = splitOnce(`:${groups.join(':')}:`, `:${longest}:`);
  return `${before.slice(1)}::${after.slice(0, -1)}`;
}

/** The 16 bytes of an IPv6 address without a zone, however it is written. The text must be one: `isIPv6`. */
export function ipv6Bytes(text: string): Buffer {
  // The last 32 bits may be written as an IPv4 address.
  const hex = text.replace(/(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/, (_, ...quad) => {
    const [a = 0, b = 0, c = 0, d = 0] = quad.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail = ''] = splitOnce(hex, '::');
  const before = head.split(':').filter(Boolean);
  const after = tail.split(':').filter(Boolean);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...before, ...zeros, ...after].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
