import { addressPrefixes, amtRelay, hostIdentity, ipsecKey, wellKnownServices } from './fields-of-addresses.ts';
import {
  base64,
  eui,
  hashedName,
  hex,
  bytesOfHex,
  hexText,
  locator,
  prefixedHex,
  recordTypes,
  salt,
} from './fields-of-bytes.ts';
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
  type RecordField,
} from './fields.ts';
import { location } from './location.ts';
import { certificateType, notifyScheme, securityAlgorithm } from './mnemonics.ts';
import { DnsFormatError, type DnsReader } from './reader.ts';
import { serviceParameters } from './service-parameters.ts';
import type { DnsWriter } from './writer.ts';

const characterStrings: RecordField = {
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
const tag: RecordField = {
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
const preferred = [u16, name];
const signature = [recordType, u8, u8, u32, time, time, u16, name, base64];
const twoNames = [name, name];

/** The data of each record type, part by part, as its RFC lays it out. */
const layouts: Readonly<Record<string, readonly RecordField[]>> = {
  A: [ipv4],
  NS: [name],
  CNAME: [name],
  SOA: [name, name, u32, u32, u32, u32, u32],
  PTR: [name],
  HINFO: [characterString, characterString],
  MB: [name],
  MG: [name],
  MR: [name],
  WKS: [wellKnownServices],
  MINFO: twoNames,
  MX: preferred,
  TXT: [characterStrings],
  RP: twoNames,
  AFSDB: preferred,
  X25: [characterString],
  ISDN: [characterStrings],
  RT: preferred,
  NSAP: [prefixedHex],
  'NSAP-PTR': [name],
  SIG: signature,
  KEY: publicKey,
  PX: [u16, name, name],
  GPOS: [characterString, characterString, characterString],
  AAAA: [ipv6],
  LOC: [location],
  EID: [hex],
  NIMLOC: [hex],
  SRV: [u16, u16, u16, name],
  NAPTR: [u16, u16, characterString, characterString, characterString, name],
  KX: preferred,
  CERT: [certificateType, u16, securityAlgorithm, base64],
  DNAME: [name],
  SINK: [u8, u8, u8, base64],
  APL: [addressPrefixes],
  DS: digest,
  SSHFP: [u8, u8, hex],
  IPSECKEY: [ipsecKey],
  RRSIG: signature,
  NSEC: [name, recordTypes],
  DNSKEY: publicKey,
  DHCID: [base64],
  NSEC3: [u8, u8, u16, salt, hashedName, recordTypes],
  NSEC3PARAM: [u8, u8, u16, salt],
  TLSA: association,
  SMIMEA: association,
  HIP: [hostIdentity],
  NINFO: [characterStrings],
  RKEY: publicKey,
  TALINK: twoNames,
  CDS: digest,
  CDNSKEY: publicKey,
  OPENPGPKEY: [base64],
  CSYNC: [u32, u16, recordTypes],
  ZONEMD: [u32, u8, u8, hex],
  SVCB: service,
  HTTPS: service,
  DSYNC: [recordType, notifyScheme, u16, name],
  HHIT: [base64],
  BRID: [base64],
  SPF: [characterStrings],
  NID: [u16, locator],
  L32: [u16, ipv4],
  L64: [u16, locator],
  LP: preferred,
  EUI48: [eui(6)],
  EUI64: [eui(8)],
  URI: [u16, u16, text],
  CAA: [u8, tag, text],
  AVC: [characterStrings],
  DOA: [u32, u32, u8, characterString, base64],
  AMTRELAY: [amtRelay],
  RESINFO: [characterStrings],
  WALLET: [characterStrings],
  CLA: [characterStrings],
  TA: digest,
  DLV: digest,
};

/** Last parts that may have no words at all. */
const mayBeNothing = new Set<RecordField | undefined>([addressPrefixes, base64, recordTypes, serviceParameters]);

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
  const bytes = bytesOfHex(digits.join(''));
  if (String(bytes.length) !== length) throw new DnsFormatError(`the length does not fit: ${data.slice(0, 300)}`);
  return bytes;
}
