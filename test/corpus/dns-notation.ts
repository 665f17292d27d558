// Writes DNS messages for the corpus. It shares no code with the product, so that both cannot be wrong in the same way.
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';

const types: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  OPT: 41,
  CAA: 257,
  ANY: 255,
};
const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;
const flagBits = { qr: 0x8000, aa: 0x0400, tc: 0x0200, rd: 0x0100, ra: 0x0080, z: 0x0040, ad: 0x0020, cd: 0x0010 };
const flags = Object.keys(flagBits) as (keyof typeof flagBits)[];

/** A record as `NAME TTL [CLASSn] TYPE DATA`; DATA as a zone file has it, or `\# HEX` for any bytes at all. */
const record = z
  .string()
  .max(20_000)
  .regex(/^\S+ \d+ (?:CLASS\d+ )?[A-Z0-9]+(?: .*)?$/s, 'expected NAME TTL [CLASSn] TYPE DATA');

export const dnsMessage = z.strictObject({
  rcode: z.enum(rcodes).default('NOERROR'),
  flags: z.array(z.enum(flags)).default(['qr', 'rd', 'ra']),
  opcode: z.int().min(0).max(15).default(0),
  /** Added to the query's id. */
  idOffset: z.int().min(0).max(65_535).default(0),
  /** `NAME TYPE`; the query's own if left out, none if empty. */
  question: z.string().optional(),
  answers: z.array(record).default([]),
  authorities: z.array(record).default([]),
  additionals: z.array(record).default([]),
  /** Bytes in hexadecimal after the end. */
  trailing: z.string().default(''),
  /** Bytes to take away at the end. */
  cut: z.int().min(0).default(0),
  /** The whole message in hexadecimal instead: `${0-1}` are bytes of the query. */
  hex: z.string().optional(),
});
export type DnsMessagePlan = z.output<typeof dnsMessage>;

export interface DnsQuery {
  readonly name: string;
  readonly type: string;
  readonly edns: boolean;
  readonly recursion: boolean;
  /** Where the question ends. */
  readonly end: number;
}

/** The parts of a query that rules can ask for. */
export function readQuery(query: Buffer): DnsQuery {
  const labels: string[] = [];
  let at = 12;
  while ((query[at] ?? 0) > 0) {
    const length = query[at] ?? 0;
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const number = query.readUInt16BE(at + 1);
  const type = Object.keys(types).find((name) => types[name] === number) ?? `TYPE${number}`;
  const recursion = (query.readUInt16BE(2) & flagBits.rd) !== 0;
  return { name: labels.join('.'), type, edns: query.readUInt16BE(10) > 0, recursion, end: at + 5 };
}

/** The answer to a query. */
export function writeMessage(plan: DnsMessagePlan, query: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE((query.readUInt16BE(0) + plan.idOffset) & 0xffff, 0);
  const bits = plan.flags.reduce((sum, flag) => sum | flagBits[flag], 0);
  header.writeUInt16BE(bits | (plan.opcode << 11) | rcodes.indexOf(plan.rcode), 2);
  const question = questionOf(plan, query);
  const sections = [plan.answers, plan.authorities, plan.additionals];
  header.writeUInt16BE(question.length > 0 ? 1 : 0, 4);
  for (const [index, records] of sections.entries()) header.writeUInt16BE(records.length, 6 + index * 2);
  const trailing = Buffer.from(plan.trailing.replaceAll(/\s/g, ''), 'hex');
  const whole = Buffer.concat([header, question, ...sections.flat().map(writeRecord), trailing]);
  return whole.subarray(0, whole.length - plan.cut);
}

function questionOf({ question }: DnsMessagePlan, query: Buffer): Buffer {
  if (question === undefined) return query.subarray(12, readQuery(query).end);
  if (question === '') return Buffer.alloc(0);
  const [name = '', type = ''] = question.split(' ');
  return Buffer.concat([writeName(name), uint16(typeNumber(type)), uint16(1)]);
}

function writeRecord(line: string): Buffer {
  const [, name = '', ttl = '', recordClass = '1', type = '', data = ''] =
    /^(\S+) (\d+) (?:CLASS(\d+) )?([A-Z0-9]+) ?(.*)$/s.exec(line) ?? [];
  const bytes = data.startsWith(String.raw`\#`)
    ? Buffer.from(data.replaceAll(/[^0-9a-f]/gi, ''), 'hex')
    : dataOf(type, data);
  const ttlSeconds = Buffer.alloc(4);
  ttlSeconds.writeUInt32BE(Number(ttl));
  const owner = [writeName(name), uint16(typeNumber(type)), uint16(Number(recordClass))];
  return Buffer.concat([...owner, ttlSeconds, uint16(bytes.length), bytes]);
}

function dataOf(type: string, data: string): Buffer {
  const words = data.split(' ');
  switch (type) {
    case 'A':
      return address(data);
    case 'AAAA':
      return address(data);
    case 'NS':
    case 'CNAME':
    case 'DNAME':
    case 'PTR':
      return writeName(data);
    case 'MX':
      return Buffer.concat([uint16(Number(words[0])), writeName(words[1] ?? '')]);
    case 'SRV':
      return Buffer.concat([...words.slice(0, 3).map((word) => uint16(Number(word))), writeName(words[3] ?? '')]);
    case 'TXT':
      return Buffer.concat(
        [...data.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, string = '']) => lengthAndBytes(string)),
      );
    case 'CAA':
      return Buffer.concat([
        Buffer.of(Number(words[0])),
        lengthAndBytes(words[1] ?? ''),
        Buffer.from(unquoted(words[2] ?? '')),
      ]);
    case 'SOA':
      return Buffer.concat([writeName(words[0] ?? ''), writeName(words[1] ?? ''), ...words.slice(2).map(uint32)]);
    default:
      throw new Error(String.raw`Data of ${type} is written as \# and hexadecimal digits, got ${data}.`);
  }
}

function address(ip: string): Buffer {
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number));
  if (!isIPv6(ip)) throw new Error(`${ip} is no address.`);
  const [before = '', after] = ip.split('::');
  const tail = groupsOf(after ?? '');
  const head = groupsOf(before);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return Buffer.concat([...head, ...zeros, ...tail].map((group) => uint16(Number.parseInt(group, 16))));
}

function groupsOf(part: string): string[] {
  return part.split(':').filter((group) => group !== '');
}

/** Without compression; `\DDD` is a byte, as in zone files. */
function writeName(name: string): Buffer {
  const labels = name.split(/(?<!\\)\./).filter((label) => label !== '');
  return Buffer.concat([...labels.map(lengthAndBytes), Buffer.of(0)]);
}

function lengthAndBytes(text: string): Buffer {
  const parts = text.split(/(\\\d{3}|\\.)/s).map((part) => {
    if (/^\\\d{3}$/.test(part)) return Buffer.of(Number(part.slice(1)));
    return Buffer.from(part.replace(/^\\(?=.)/s, ''));
  });
  const bytes = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function unquoted(text: string): string {
  return text.replaceAll('"', '');
}

function typeNumber(type: string): number {
  const number = types[type] ?? Number(/^TYPE(\d+)$/.exec(type)?.[1]);
  if (Number.isNaN(number)) throw new Error(`The corpus knows no record type ${type}; write TYPE and its number.`);
  return number;
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function uint32(value: string): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Number(value));
  return bytes;
}
