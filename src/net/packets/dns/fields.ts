import { isIPv4, isIPv6 } from 'node:net';
import { quotedBytes, unescaped } from './name.ts';
import { DnsFormatError, type DnsReader } from './reader.ts';
import { recordTypeCode, recordTypeName } from './record-types.ts';
import type { DnsWriter } from './writer.ts';
import { ipv6Bytes, ipv6Text } from '../ipv6.ts';

/** One part of a record's data: bytes ↔ the words a zone file has for it. Only the last part of a record may be several words. */
export interface RecordField {
  read(reader: DnsReader): string;
  /** @throws {DnsFormatError} if the text does not fit */
  write(writer: DnsWriter, text: string): void;
}

export function invalid(expected: string, text: string): DnsFormatError {
  return new DnsFormatError(`expected ${expected}, got ${JSON.stringify(text.slice(0, 300))}`);
}

export function integerUpTo(max: number, text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value <= max) return value;
  throw invalid(`a number from 0 to ${max}`, text);
}

export const u8: RecordField = {
  read: (reader) => String(reader.u8()),
  write: (writer, text) => writer.u8(integerUpTo(0xff, text)),
};

export const u16: RecordField = {
  read: (reader) => String(reader.u16()),
  write: (writer, text) => writer.u16(integerUpTo(0xffff, text)),
};

export const u32: RecordField = {
  read: (reader) => String(reader.u32()),
  write: (writer, text) => writer.u32(integerUpTo(0xffff_ffff, text)),
};

export const name: RecordField = {
  read: (reader) => reader.name(),
  write: (writer, text) => writer.name(text),
};

export const ipv4: RecordField = {
  read: (reader) => reader.bytes(4).join('.'),
  write(writer, text) {
    if (!isIPv4(text)) throw invalid('an IPv4 address', text);
    writer.bytes(Uint8Array.from(text.split('.'), Number));
  },
};

export const ipv6: RecordField = {
  read: (reader) => ipv6Text(reader.bytes(16)),
  write(writer, text) {
    if (!isIPv6(text) || text.includes('%')) throw invalid('an IPv6 address', text);
    writer.bytes(ipv6Bytes(text));
  },
};

/** A number of a record type, by its name. */
export const recordType: RecordField = {
  read: (reader) => recordTypeName(reader.u16()),
  write: (writer, text) => writer.u16(typeCodeOf(text)),
};

export function typeCodeOf(text: string): number {
  const code = recordTypeCode(text);
  if (code === undefined) throw invalid('a record type, like MX or TYPE15', text);
  return code;
}

/** RFC 4034 section 3.2: seconds of the epoch, shown as YYYYMMDDHHmmSS in UTC. */
export const time: RecordField = {
  read: (reader) =>
    new Date(reader.u32() * 1000)
      .toISOString()
      .replace(/\D|\.\d+Z$/g, '')
      .slice(0, 14),
  write(writer, text) {
    const [, year, month, day, hours, minutes, seconds] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text) ?? [];
    const epochSeconds = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`) / 1000;
    if (!(epochSeconds >= 0 && epochSeconds <= 0xffff_ffff)) throw invalid('a time as YYYYMMDDHHmmSS', text);
    writer.u32(epochSeconds);
  },
};

/** A character string: up to 255 bytes with their count before them. */
export const characterString: RecordField = {
  read: (reader) => quotedBytes(reader.bytes(reader.u8())),
  write(writer, text) {
    const bytes = unquoted(text);
    if (bytes.length > 0xff) throw invalid('at most 255 bytes in one string', text);
    writer.u8(bytes.length);
    writer.bytes(bytes);
  },
};

/** All that is left, as one string in quotes. */
export const text: RecordField = {
  read: (reader) => quotedBytes(reader.rest()),
  write: (writer, words) => writer.bytes(unquoted(words)),
};

export function unquoted(word: string): Buffer {
  const inner = /^"(.*)"$/s.exec(word)?.[1] ?? word;
  const bytes = unescaped(inner);
  if (!bytes) throw invalid('text with escapes like \\" or \\255', word);
  return bytes;
}

/** The words of zone file text: parted by spaces, except inside quotes. */
export function wordsOf(line: string): readonly string[] {
  return line.match(/(?:"(?:\\[^]|[^"\\])*"|\\[^]|[^\s"\\])+/g) ?? [];
}
