import { base64, hashedName, hex, hexBytes, hexText, recordTypes, salt } from './fields-of-bytes.ts';
import {
  characterString,
  invalid,
  ipv4,
  ipv6,
  name,
  recordType,
  text,
  time,
  u16,
  u32,
  u8,
  wordsOf,
  type Field,
} from './fields.ts';
import { DnsFormatError, type DnsReader } from './reader.ts';
import { serviceParameters } from './service-parameters.ts';
import type { DnsWriter } from './writer.ts';

const characterStrings: Field = {
  read(reader) {
    const strings: string[] = [];
    do strings.push(characterString.read(reader));
    while (reader.remaining > 0);
    return strings.join(' ');
  },
  write(writer, line) {
    for (const word of wordsOf(line)) characterString.write(writer, word);
  },
};

/** A property's name, of letters and digits and without regard to case (RFC 8659 section 4.1): a character string without quotes. */
const tag: Field = {
  read: (reader) => checkedTag(characterString.read(reader).slice(1, -1)),
  write(writer, word) {
    const name = checkedTag(word);
    characterString.write(writer, writer.foldsCase ? name.toLowerCase() : name);
  },
};

function checkedTag(word: string): string {
  if (/^[a-z\d]+$/i.test(word)) return word;
  throw invalid('a property of letters and digits', word);
}

const digest = [u16, u8, u8, hex];
const publicKey = [u16, u8, u8, base64];
const association = [u8, u8, u8, hex];
const service = [u16, name, serviceParameters];

/** The data of each record type, part by part, as its RFC lays it out. */
const layouts: Readonly<Record<string, readonly Field[]>> = {
  A: [ipv4],
  NS: [name],
  CNAME: [name],
  SOA: [name, name, u32, u32, u32, u32, u32],
  PTR: [name],
  HINFO: [characterString, characterString],
  MX: [u16, name],
  TXT: [characterStrings],
  RP: [name, name],
  AAAA: [ipv6],
  SRV: [u16, u16, u16, name],
  NAPTR: [u16, u16, characterString, characterString, characterString, name],
  DNAME: [name],
  DS: digest,
  SSHFP: [u8, u8, hex],
  RRSIG: [recordType, u8, u8, u32, time, time, u16, name, base64],
  NSEC: [name, recordTypes],
  DNSKEY: publicKey,
  NSEC3: [u8, u8, u16, salt, hashedName, recordTypes],
  NSEC3PARAM: [u8, u8, u16, salt],
  TLSA: association,
  SMIMEA: association,
  CDS: digest,
  CDNSKEY: publicKey,
  OPENPGPKEY: [base64],
  CSYNC: [u32, u16, recordTypes],
  ZONEMD: [u32, u8, u8, hex],
  SVCB: service,
  HTTPS: service,
  SPF: [characterStrings],
  URI: [u16, u16, text],
  CAA: [u8, tag, text],
};

/** Last parts that may have no words at all. */
const mayBeNothing = new Set<Field | undefined>([base64, recordTypes, serviceParameters]);

/** The data of a record as a zone file has it; of a type we have no layout for, as RFC 3597 section 5 says: `\# 2 ABCD`. */
export function readRecordData(reader: DnsReader, type: string): string {
  const layout = layouts[type];
  if (!layout) return unknownData(reader.rest());
  return layout
    .map((field) => field.read(reader))
    .join(' ')
    .trimEnd();
}

/** Data as RFC 3597 section 5 writes it: `\# 2 ABCD`. */
export function unknownData(bytes: Buffer): string {
  return bytes.length === 0 ? '\\# 0' : `\\# ${bytes.length} ${hexText(bytes)}`;
}

/** @throws {DnsFormatError} if the text is not what a record of this type holds */
export function writeRecordData(writer: DnsWriter, type: string, data: string): void {
  const words = wordsOf(data);
  if (words[0] === '\\#') return writer.bytes(bytesOfUnknown(words, data));
  const layout = layouts[type];
  if (!layout) throw invalid(`data of a ${type} record as \\# LENGTH HEX`, data);
  const fewest = mayBeNothing.has(layout.at(-1)) ? layout.length - 1 : layout.length;
  if (words.length < fewest) throw invalid(`${layout.length} parts in the data of a ${type} record`, data);
  for (const [index, field] of layout.entries()) {
    const isLast = index === layout.length - 1;
    field.write(writer, isLast ? words.slice(index).join(' ') : (words[index] ?? ''));
  }
}

function bytesOfUnknown([, length, ...digits]: readonly string[], data: string): Buffer {
  const bytes = hexBytes(digits.join(''));
  if (String(bytes.length) !== length) throw new DnsFormatError(`the length does not fit: ${data.slice(0, 300)}`);
  return bytes;
}
