import { invalid, typeCodeOf, wordsOf, type RecordField } from './fields.ts';
import { DnsFormatError, type DnsReader } from './reader.ts';
import { recordTypeName } from './record-types.ts';
import type { DnsWriter } from './writer.ts';

/** All that is left, in hexadecimal; nothing is written as a hyphen, as NSEC3 does for its salt. */
export const hex: RecordField = {
  read: (reader) => hexText(reader.rest()),
  write: (writer, text) => writer.bytes(bytesOfHex(text)),
};

export function hexText(bytes: Buffer): string {
  return bytes.length === 0 ? '-' : bytes.toString('hex').toUpperCase();
}

export function bytesOfHex(text: string): Buffer {
  const digits = text === '-' ? '' : text.replaceAll(' ', '');
  if (!/^(?:[\da-f]{2})*$/i.test(digits)) throw invalid('hexadecimal bytes', text);
  return Buffer.from(digits, 'hex');
}

/** All that is left, in small hexadecimal digits behind `0x`; dots between them are ignored (RFC 1706 section 7). */
export const prefixedHex: RecordField = {
  read(reader) {
    if (reader.remaining === 0) throw new DnsFormatError('an address of no bytes');
    return `0x${reader.rest().toString('hex')}`;
  },
  write(writer, text) {
    const [, digits = ''] = /^0x((?:\.?[\da-f])+)$/i.exec(text) ?? [];
    const bytes = bytesOfHex(digits.replaceAll('.', ''));
    if (bytes.length === 0) throw invalid('hexadecimal bytes behind 0x', text);
    writer.bytes(bytes);
  },
};

/** An EUI of some bytes (RFC 7043): `00-00-5e-00-53-2a`. */
export function eui(bytes: number): RecordField {
  return {
    read: (reader) => Array.from(reader.bytes(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('-'),
    write(writer, text) {
      const pairs = text.split('-');
      if (pairs.length !== bytes || !pairs.every((pair) => /^[\da-f]{2}$/i.test(pair)))
        throw invalid(`${bytes} bytes in hexadecimal, with hyphens between them`, text);
      writer.bytes(Buffer.from(pairs.join(''), 'hex'));
    },
  };
}

const locatorGroups = 4;

/** 64 bits as four groups (RFC 6742 section 2.1.2): `14:4fff:ff20:ee64`. */
export const locator: RecordField = {
  read: (reader) => Array.from({ length: locatorGroups }, () => reader.u16().toString(16)).join(':'),
  write(writer, text) {
    const groups = text.split(':');
    if (groups.length !== locatorGroups || !groups.every((group) => /^[\da-f]{1,4}$/i.test(group)))
      throw invalid('four groups of hexadecimal digits, like 2001:db8:1140:1000', text);
    for (const group of groups) writer.u16(Number.parseInt(group, 16));
  },
};

/** All that is left, in Base64. */
export const base64: RecordField = {
  read: (reader) => reader.rest().toString('base64'),
  write(writer, text) {
    const digits = text.replaceAll(' ', '');
    if (!/^[\w+/]*={0,2}$/.test(digits)) throw invalid('Base64', text);
    writer.bytes(Buffer.from(digits, 'base64'));
  },
};

/** Bytes with their count in eight bits before them. */
function counted(toText: (bytes: Buffer) => string, toBytes: (text: string) => Buffer): RecordField {
  return {
    read: (reader) => toText(reader.bytes(reader.u8())),
    write(writer, text) {
      const bytes = toBytes(text);
      if (bytes.length > 0xff) throw invalid('at most 255 bytes', text);
      writer.u8(bytes.length);
      writer.bytes(bytes);
    },
  };
}

export const salt = counted(hexText, bytesOfHex);

const base32Digits = '0123456789ABCDEFGHIJKLMNOPQRSTUV';

/** A hashed owner name (RFC 5155 section 3.3): Base 32 with extended hex alphabet, no padding. */
export const hashedName = counted(base32Text, base32Bytes);

function base32Text(bytes: Buffer): string {
  if (bytes.length === 0) throw new DnsFormatError('a hashed name of no bytes');
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const digits = bits.match(/.{1,5}/g) ?? [];
  return digits.map((digit) => base32Digits[Number.parseInt(digit.padEnd(5, '0'), 2)]).join('');
}

function base32Bytes(text: string): Buffer {
  if (!/^[\dA-V]{2,}$/i.test(text)) throw invalid('Base 32 digits, 0 to 9 and A to V', text);
  const bits = Array.from(text, (digit) => Number.parseInt(digit, 32).toString(2).padStart(5, '0')).join('');
  // Bits that fill no whole byte are padding.
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

/** The types that exist at a name (RFC 4034 section 4.1.2): blocks of up to 256 bits, each with its number and length. */
export const recordTypes: RecordField = {
  read(reader) {
    const names: string[] = [];
    for (let previous = -1; reader.remaining > 0;) previous = readBlock(reader, previous, names);
    return names.join(' ');
  },
  write(writer, text) {
    const codes = wordsOf(text).map(typeCodeOf);
    for (const block of [...new Set(codes.map((code) => code >> 8))].toSorted((a, b) => a - b))
      writeBlock(
        writer,
        block,
        codes.filter((code) => code >> 8 === block),
      );
  },
};

function readBlock(reader: DnsReader, previous: number, names: string[]): number {
  const block = reader.u8();
  const bits = reader.bytes(reader.u8());
  if (block <= previous || bits.length === 0 || bits.length > 32)
    throw new DnsFormatError(`a type bitmap with block ${block} of ${bits.length} bytes after block ${previous}`);
  for (const [index, byte] of bits.entries()) {
    for (let bit = 0; bit < 8; bit++)
      if (byte & (0x80 >> bit)) names.push(recordTypeName(block * 256 + index * 8 + bit));
  }
  return block;
}

function writeBlock(writer: DnsWriter, block: number, codes: readonly number[]): void {
  const bits = Buffer.alloc(((Math.max(...codes) % 256) >> 3) + 1);
  for (const code of codes) bits[(code % 256) >> 3] = (bits[(code % 256) >> 3] ?? 0) | (0x80 >> (code % 8));
  writer.u8(block);
  writer.u8(bits.length);
  writer.bytes(bits);
}
