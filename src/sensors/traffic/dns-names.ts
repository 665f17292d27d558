import { canonicalName } from '../../net/packets/dns/name.ts';
import { DnsFormatError, DnsReader } from '../../net/packets/dns/reader.ts';
import { addressText, ipv4Text } from './peer-address.ts';

export interface NamedAddress {
  readonly address: string;
  /** The name in the question; in multicast DNS, which has no question, the name in the answer. */
  readonly name: string;
  readonly ttlSeconds: number;
}

/** A DNS message, as far as it tells names. */
export interface DnsNames {
  readonly id: number;
  readonly isAnswer: boolean;
  /** The first question. */
  readonly question: AskedName | undefined;
  /** Of an answer: the addresses that the question's name has, also by aliases. */
  readonly addresses: readonly NamedAddress[];
}

export interface AskedName {
  readonly name: string;
  readonly type: number;
}

const isResponse = 0x8000;
const types = { a: 1, cname: 5, aaaa: 28 } as const;
/** RFC 6762 section 10.2: in multicast DNS the top bit of the class is the cache-flush bit. */
const classBits = 0x7fff;
const internet = 1;

interface Answer {
  readonly owner: string;
  readonly ttlSeconds: number;
  readonly address?: string;
  readonly alias?: string;
}

/** Reads a DNS message (RFC 1035): questions and answers only. Undefined if any record of these is malformed. */
export function readDnsNames(message: Buffer): DnsNames | undefined {
  try {
    return read(new DnsReader(message));
  } catch (error) {
    if (error instanceof DnsFormatError) return undefined;
    throw error;
  }
}

function read(reader: DnsReader): DnsNames {
  const id = reader.u16();
  const isAnswer = (reader.u16() & isResponse) !== 0;
  const [questions, count] = [reader.u16(), reader.u16()];
  reader.bytes(4);
  let question: AskedName | undefined;
  for (let index = 0; index < questions; index++) {
    const [name, type] = [canonicalName(reader.name()), reader.u16()];
    reader.bytes(2);
    question ??= { name, type };
  }
  if (!isAnswer) return { id, isAnswer, question, addresses: [] };
  const answers: Answer[] = [];
  // The count may be wrong: reading throws at the end of the bytes.
  while (answers.length < count) answers.push(readAnswer(reader));
  return { id, isAnswer, question, addresses: addressesIn(answers, question?.name) };
}

function addressesIn(answers: readonly Answer[], asked: string | undefined): readonly NamedAddress[] {
  const aliases = new Map(answers.flatMap(({ owner, alias }) => (alias === undefined ? [] : [[alias, owner]])));
  return answers.flatMap(({ owner, address, ttlSeconds }) => {
    const name = firstOf(owner, aliases);
    const isMeant = asked === undefined || name === asked;
    return address !== undefined && isMeant ? [{ address, name, ttlSeconds }] : [];
  });
}

function readAnswer(reader: DnsReader): Answer {
  const owner = canonicalName(reader.name());
  const type = reader.u16();
  const isInternet = (reader.u16() & classBits) === internet;
  const ttlSeconds = reader.u32();
  const length = reader.u16();
  return reader.within(length, () => {
    if (isInternet && type === types.a) return { owner, ttlSeconds, address: ipv4Text(reader.bytes(4)) };
    if (isInternet && type === types.aaaa) return { owner, ttlSeconds, address: addressText(reader.bytes(16)) };
    if (isInternet && type === types.cname) return { owner, ttlSeconds, alias: canonicalName(reader.name()) };
    reader.rest();
    return { owner, ttlSeconds };
  });
}

/** First name of a chain of aliases; a circle ends the search. */
function firstOf(name: string, aliases: ReadonlyMap<string, string>): string {
  let first = name;
  for (let step = 0; step < aliases.size; step++) first = aliases.get(first) ?? first;
  return first;
}
