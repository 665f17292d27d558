import { typeCodeOf } from './fields.ts';
import { DnsReader, DnsFormatError } from './reader.ts';
import { readRecordData, writeRecordData } from './record-data.ts';
import { recordTypeName } from './record-types.ts';
import { DnsWriter } from './writer.ts';

/** The bits of the header (RFC 1035 section 4.1.1, RFC 4035 section 3) by the names that people use for them. */
const flagBits = { qr: 0x8000, aa: 0x0400, tc: 0x0200, rd: 0x0100, ra: 0x0080, ad: 0x0020, cd: 0x0010 } as const;
export type DnsFlag = keyof typeof flagBits;
const flagNames = Object.keys(flagBits) as readonly DnsFlag[];

export interface DnsQuestion {
  readonly name: string;
  /** `MX`, or `TYPE65280` where the number has no name. */
  readonly type: string;
}

export interface DnsRecord extends DnsQuestion {
  readonly ttlSeconds: number;
  /** As a zone file has it, names without their final dot: `10 mail.example.com`. */
  readonly data: string;
}

/** What the OPT record says (RFC 6891). */
export interface Edns {
  readonly udpSize: number;
  /** DO: DNSSEC records are wanted, or are there. */
  readonly dnssec: boolean;
}

export interface DnsMessage {
  readonly id: number;
  readonly flags: readonly DnsFlag[];
  readonly opcode: number;
  /** With the upper bits that EDNS has for it. */
  readonly rcode: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  /** Without the OPT record, which is `edns`. */
  readonly additionals: readonly DnsRecord[];
  readonly edns?: Edns;
}

const internet = 1;
const optType = 41;
const dnssecOk = 0x8000;

/** @throws {DnsFormatError} if any byte is not as the RFCs have it */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  const reader = new DnsReader(bytes);
  const id = reader.u16();
  const bits = reader.u16();
  const questionCount = reader.u16();
  const answerCount = reader.u16();
  const authorityCount = reader.u16();
  const additionalCount = reader.u16();
  const questions = times(questionCount, () => readQuestion(reader));
  const answers = times(answerCount, () => readRecord(reader));
  const authorities = times(authorityCount, () => readRecord(reader));
  const { additionals, opt } = readAdditionals(reader, additionalCount);
  if (reader.remaining > 0) throw new DnsFormatError(`${reader.remaining} bytes after the end of the message`);
  return {
    id,
    flags: flagNames.filter((name) => bits & flagBits[name]),
    opcode: (bits >> 11) & 0xf,
    rcode: (bits & 0xf) | ((opt?.rcodeHigh ?? 0) << 4),
    questions,
    answers,
    authorities,
    additionals,
    ...(opt && { edns: opt.edns }),
  };
}

/** A count is only a claim: reading ends with an error where the bytes end. */
function times<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  while (items.length < count) items.push(read());
  return items;
}

function readQuestion(reader: DnsReader): DnsQuestion {
  const name = reader.name();
  const type = recordTypeName(reader.u16());
  expectInternet(reader.u16(), `the question for ${name}`);
  return { name, type };
}

function readRecord(reader: DnsReader): DnsRecord {
  return readRecordOf(reader, reader.name(), reader.u16());
}

function readRecordOf(reader: DnsReader, name: string, typeCode: number): DnsRecord {
  const type = recordTypeName(typeCode);
  expectInternet(reader.u16(), `the ${type} record of ${name}`);
  const ttl = reader.u32();
  const data = reader.within(reader.u16(), () => readRecordData(reader, type));
  // RFC 2181 section 8: a TTL with the top bit set is zero.
  return { name, type, ttlSeconds: ttl > 0x7fff_ffff ? 0 : ttl, data };
}

function expectInternet(dnsClass: number, where: string): void {
  if (dnsClass !== internet)
    throw new DnsFormatError(`class ${dnsClass} instead of ${internet}, the internet, in ${where}`);
}

interface Opt {
  readonly edns: Edns;
  readonly rcodeHigh: number;
}

function readAdditionals(reader: DnsReader, count: number): { additionals: DnsRecord[]; opt: Opt | undefined } {
  const additionals: DnsRecord[] = [];
  let opt: Opt | undefined;
  for (let index = 0; index < count; index++) {
    const name = reader.name();
    const typeCode = reader.u16();
    if (typeCode !== optType) {
      additionals.push(readRecordOf(reader, name, typeCode));
      continue;
    }
    if (opt || name !== '.') throw new DnsFormatError('a second OPT record, or one that is not of the root');
    opt = readOpt(reader);
  }
  return { additionals, opt };
}

/** RFC 6891 section 6.1.2: the class is the size of datagrams, the TTL holds the upper bits of the rcode and the flags. */
function readOpt(reader: DnsReader): Opt {
  const udpSize = reader.u16();
  const rcodeHigh = reader.u8();
  reader.u8();
  const dnssec = (reader.u16() & dnssecOk) !== 0;
  reader.within(reader.u16(), () => {
    while (reader.remaining > 0) {
      reader.u16();
      reader.bytes(reader.u16());
    }
  });
  return { edns: { udpSize, dnssec }, rcodeHigh };
}

/** @throws {DnsFormatError} if a name, a type or data is not what the wire can carry */
export function encodeMessage(message: DnsMessage): Buffer {
  const { id, flags, opcode, rcode, questions, answers, authorities, additionals, edns } = message;
  const writer = new DnsWriter();
  writer.u16(id);
  writer.u16(flags.reduce((bits, name) => bits | flagBits[name], (opcode << 11) | (rcode & 0xf)));
  for (const section of [questions, answers, authorities]) writer.u16(section.length);
  writer.u16(additionals.length + (edns ? 1 : 0));
  for (const question of questions) writeQuestion(writer, question);
  for (const record of [...answers, ...authorities, ...additionals]) writeRecord(writer, record);
  if (edns) writeOpt(writer, edns, rcode >> 4);
  return writer.finish();
}

function writeQuestion(writer: DnsWriter, { name, type }: DnsQuestion): void {
  writer.name(name);
  writer.u16(typeCodeOf(type));
  writer.u16(internet);
}

function writeRecord(writer: DnsWriter, record: DnsRecord): void {
  writeQuestion(writer, record);
  writer.u32(record.ttlSeconds);
  writer.counted(() => writeRecordData(writer, record.type, record.data));
}

function writeOpt(writer: DnsWriter, { udpSize, dnssec }: Edns, rcodeHigh: number): void {
  writer.name('.');
  writer.u16(optType);
  writer.u16(udpSize);
  writer.u8(rcodeHigh);
  writer.u8(0);
  writer.u16(dnssec ? dnssecOk : 0);
  writer.u16(0);
}
