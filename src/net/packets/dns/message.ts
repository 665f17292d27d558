import { dnsClassCode } from './classes.ts';
import { typeCodeOf } from './fields.ts';
import { writeRecordData } from './record-data.ts';
import { DnsWriter } from './writer.ts';

/** The bits of the header (RFC 1035 section 4.1.1, RFC 4035 section 3) by the names that people use for them. */
export const flagBits = {
  qr: 0x8000,
  aa: 0x0400,
  tc: 0x0200,
  rd: 0x0100,
  ra: 0x0080,
  ad: 0x0020,
  cd: 0x0010,
} as const;
export type DnsFlag = keyof typeof flagBits;

export interface DnsQuestion {
  readonly name: string;
  /** `MX`, or `TYPE65280` where the number has no name. */
  readonly type: string;
  /** `CH`, or `CLASS5` where the number has no name; the internet, `IN`, if left out. */
  readonly class?: string;
}

export interface DnsRecord extends DnsQuestion {
  readonly ttlSeconds: number;
  /** As a zone file has it, names without their final dot: `10 mail.example.com`. */
  readonly data: string;
  /** Why its data cannot be read; `data` then has the bytes in hexadecimal (RFC 3597). */
  readonly flaw?: string;
}

/** An option of EDNS by its number (IANA, DNS EDNS0 Option Codes). */
export interface EdnsOption {
  readonly code: number;
  readonly data: Buffer;
}

/** The contents of the OPT record (RFC 6891). */
export interface Edns {
  readonly udpSize: number;
  /** DO: DNSSEC records are wanted, or are there. */
  readonly dnssec: boolean;
  /** 0 if left out, the only version there is. */
  readonly version?: number;
  readonly options?: readonly EdnsOption[];
}

export type DnsSection = 'answer' | 'authority' | 'additional' | 'end';

/** A place in a message that is not as the RFCs have it; the rest of the message can be read. */
export interface DnsFlaw {
  readonly section: DnsSection;
  readonly text: string;
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
  /** Left out where there is none. */
  readonly flaws?: readonly DnsFlaw[];
}

export const optType = 41;
export const dnssecOk = 0x8000;

/** @throws {DnsFormatError} if a name, a type or data is not what the wire can carry */
export function encodeMessage(message: DnsMessage): Buffer {
  const { id, flags, opcode, rcode, questions, answers, authorities, additionals, edns } = message;
  const writer = new DnsWriter();
  writer.u16(id);
  writer.u16(flags.reduce((bits, name) => bits | flagBits[name], (opcode << 11) | (rcode & 0xf)));
  for (const section of [questions, answers, authorities]) writer.u16(section.length);
  writer.u16(additionals.length + (edns ? 1 : 0));
  for (const question of questions) writeQuestion(writer, question);
  for (const records of [answers, authorities, additionals]) for (const record of records) writeRecord(writer, record);
  if (edns) writeOpt(writer, edns, rcode >> 4);
  return writer.finish();
}

function writeQuestion(writer: DnsWriter, question: DnsQuestion): void {
  writer.name(question.name);
  writer.u16(typeCodeOf(question.type));
  writer.u16(dnsClassCode(question.class));
}

function writeRecord(writer: DnsWriter, record: DnsRecord): void {
  writeQuestion(writer, record);
  writer.u32(record.ttlSeconds);
  writer.counted(() => writeRecordData(writer, record.type, record.data));
}

/** RFC 6891 section 6.1.2: the class is the size of datagrams, the TTL holds the upper bits of the rcode and the flags. */
function writeOpt(writer: DnsWriter, { udpSize, dnssec, version = 0, options = [] }: Edns, rcodeHigh: number): void {
  writer.name('.');
  writer.u16(optType);
  writer.u16(udpSize);
  writer.u8(rcodeHigh);
  writer.u8(version);
  writer.u16(dnssec ? dnssecOk : 0);
  writer.counted(() => {
    for (const { code, data } of options) {
      writer.u16(code);
      writer.u16(data.length);
      writer.bytes(data);
    }
  });
}
