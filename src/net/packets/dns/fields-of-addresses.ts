import { isIPv4, isIPv6 } from 'node:net';
import { ipv6Bytes, ipv6Text } from '../ipv6.ts';
import { base64, bytesOfHex, hexText } from './fields-of-bytes.ts';
import { integerUpTo, invalid, ipv4, ipv6, name, u8, wordsOf, type RecordField } from './fields.ts';
import { DnsFormatError, type DnsReader } from './reader.ts';
import type { DnsWriter } from './writer.ts';

/** Address families by IANA's numbers. */
const prefixFamilies = {
  1: { bytes: 4, toText: (bytes: Buffer) => bytes.join('.'), toBytes: ipv4Bytes },
  2: { bytes: 16, toText: ipv6Text, toBytes: ipv6Bytes },
} as const;
const negation = 0x80;

function ipv4Bytes(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}

/** Address prefixes (RFC 3123): `1:192.168.32.0/21 !1:192.168.38.0/28 2:ff00::/8`. */
export const addressPrefixes: RecordField = {
  read(reader) {
    const items: string[] = [];
    while (reader.remaining > 0) items.push(prefixText(reader));
    return items.join(' ');
  },
  write(writer, line) {
    for (const word of wordsOf(line)) writePrefix(writer, word);
  },
};

function prefixText(reader: DnsReader): string {
  const number = reader.u16();
  const prefix = reader.u8();
  const length = reader.u8();
  const bytes = reader.bytes(length & ~negation);
  const family = number === 1 || number === 2 ? prefixFamilies[number] : undefined;
  if (!family || prefix > family.bytes * 8 || bytes.length > family.bytes)
    throw new DnsFormatError(`an address prefix of family ${number} with ${prefix} bits in ${bytes.length} bytes`);
  // Zeros at the end are left out.
  const whole = Buffer.concat([bytes, Buffer.alloc(family.bytes - bytes.length)]);
  return `${length & negation ? '!' : ''}${number}:${family.toText(whole)}/${prefix}`;
}

function writePrefix(writer: DnsWriter, word: string): void {
  const [, not, number, address = '', prefix = ''] = /^(!?)([12]):([\d.]+|[\da-f:.]+)\/(\d{1,3})$/i.exec(word) ?? [];
  const family = number === '1' ? prefixFamilies[1] : prefixFamilies[2];
  const isAddress = number === '1' ? isIPv4(address) : isIPv6(address);
  if (!isAddress || Number(prefix) > family.bytes * 8)
    throw invalid('an address prefix, like 1:192.0.2.0/24 or !2:2001:db8::/32', word);
  const bytes = family.toBytes(address);
  const length = bytes.findLastIndex((byte) => byte !== 0) + 1;
  writer.u16(Number(number));
  writer.u8(Number(prefix));
  writer.u8(length | (not === '!' ? negation : 0));
  writer.bytes(bytes.subarray(0, length));
}

const protocolNumbers: Readonly<Record<string, number>> = { TCP: 6, UDP: 17 };
const maxPort = 65_535;

/** Address, protocol and ports of a WKS record (RFC 1035 section 3.4.2), a bit a port: `192.0.2.1 6 21 25`. */
export const wellKnownServices: RecordField = {
  read(reader) {
    const words = [ipv4.read(reader), u8.read(reader)];
    for (const [index, byte] of reader.rest().entries()) {
      if (index > maxPort / 8) throw new DnsFormatError(`a port beyond ${maxPort}`);
      for (let bit = 0; bit < 8; bit++) if (byte & (0x80 >> bit)) words.push(String(index * 8 + bit));
    }
    return words.join(' ');
  },
  write(writer, line) {
    const [address = '', protocol = '', ...words] = wordsOf(line);
    ipv4.write(writer, address);
    u8.write(writer, String(protocolNumbers[protocol.toUpperCase()] ?? protocol));
    const ports = words.map((word) => integerUpTo(maxPort, word));
    const bits = Buffer.alloc(ports.length === 0 ? 0 : (Math.max(...ports) >> 3) + 1);
    for (const port of ports) bits[port >> 3] = (bits[port >> 3] ?? 0) | (0x80 >> (port % 8));
    writer.bytes(bits);
  },
};

/** A gateway by the number of its type (RFC 4025 section 2.3, RFC 8777 section 4.2.3): none, an address or a name. */
const gateways: readonly RecordField[] = [
  {
    read: () => '.',
    write(_, text) {
      if (text !== '.') throw invalid('a dot for no gateway', text);
    },
  },
  ipv4,
  ipv6,
  name,
];

function gatewayOf(type: number): RecordField {
  const field = gateways[type];
  if (field) return field;
  throw new DnsFormatError(`a gateway of type ${type}, expected one from 0 to ${gateways.length - 1}`);
}

/** The data of an IPSECKEY record (RFC 4025): `10 1 2 192.0.2.38 AQNRU3mG…`. */
export const ipsecKey: RecordField = {
  read(reader) {
    const [precedence, type, algorithm] = [reader.u8(), reader.u8(), reader.u8()];
    return `${precedence} ${type} ${algorithm} ${gatewayOf(type).read(reader)} ${base64.read(reader)}`.trimEnd();
  },
  write(writer, line) {
    const [precedence = '', type = '', algorithm = '', gateway = '', ...key] = wordsOf(line);
    for (const number of [precedence, type, algorithm]) u8.write(writer, number);
    gatewayOf(Number(type)).write(writer, gateway);
    base64.write(writer, key.join(' '));
  },
};

/** Precedence, discovery bit, type and relay of an AMTRELAY record (RFC 8777): `10 0 3 relay.example.net`. */
export const amtRelay: RecordField = {
  read(reader) {
    const precedence = reader.u8();
    const byte = reader.u8();
    return `${precedence} ${byte >> 7} ${byte & 0x7f} ${gatewayOf(byte & 0x7f).read(reader)}`;
  },
  write(writer, line) {
    const [precedence = '', discovery = '', type = '', relay = '.'] = wordsOf(line);
    u8.write(writer, precedence);
    writer.u8((integerUpTo(1, discovery) << 7) | integerUpTo(0x7f, type));
    gatewayOf(Number(type)).write(writer, relay);
  },
};

/** The data of a HIP record (RFC 8005): algorithm, host identity tag, public key, names of rendezvous servers. */
export const hostIdentity: RecordField = {
  read(reader) {
    const tagBytes = reader.u8();
    const algorithm = reader.u8();
    const keyBytes = reader.u16();
    if (tagBytes === 0 || keyBytes === 0) throw new DnsFormatError('a host identity without tag or key');
    const words = [String(algorithm), hexText(reader.bytes(tagBytes)), reader.bytes(keyBytes).toString('base64')];
    while (reader.remaining > 0) words.push(reader.name());
    return words.join(' ');
  },
  write(writer, line) {
    const [algorithm = '', tag = '', key = '', ...servers] = wordsOf(line);
    const tagBytes = bytesOfHex(tag);
    if (tagBytes.length === 0 || tagBytes.length > 0xff) throw invalid('a tag of 1 to 255 bytes', tag);
    writer.u8(tagBytes.length);
    u8.write(writer, algorithm);
    const keyBytes = Buffer.from(key, 'base64');
    if (keyBytes.length === 0) throw invalid('a public key in Base64', key);
    writer.u16(keyBytes.length);
    writer.bytes(tagBytes);
    base64.write(writer, key);
    for (const server of servers) writer.name(server);
  },
};
