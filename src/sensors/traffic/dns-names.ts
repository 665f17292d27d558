import { canonicalName } from '../../net/packets/dns/name.ts';
import { DnsFormatError, DnsReader } from '../../net/packets/dns/reader.ts';
import { addressText, ipv4Text } from './peer-address.ts';

export interface NamedAddress {
  readonly address: string;
  /** The name in the question. */
  readonly name: string;
  readonly ttlSeconds: number;
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

/**
 * The addresses in a DNS answer (RFC 1035), each with the name in the question; a multicast DNS answer, which has no
 * question, gives its own names. Only the answer section is read, and nothing if any record is malformed.
 */
export function namesIn(message: Buffer): readonly NamedAddress[] {
  try {
    const { asked, answers } = read(new DnsReader(message));
    const aliases = new Map(answers.flatMap(({ owner, alias }) => (alias === undefined ? [] : [[alias, owner]])));
    return answers.flatMap(({ owner, address, ttlSeconds }) => {
      const name = firstOf(owner, aliases);
      const isMeant = asked === undefined || name === asked;
      return address !== undefined && isMeant ? [{ address, name, ttlSeconds }] : [];
    });
  } catch (error) {
    if (error instanceof DnsFormatError) return [];
    throw error;
  }
}

function read(reader: DnsReader): { readonly asked: string | undefined; readonly answers: readonly Answer[] } {
  reader.u16();
  if ((reader.u16() & isResponse) === 0) return { asked: undefined, answers: [] };
  const [questions, count] = [reader.u16(), reader.u16()];
  reader.bytes(4);
  let asked: string | undefined;
  for (let question = 0; question < questions; question++) {
    asked ??= canonicalName(reader.name());
    reader.bytes(4);
  }
  const answers: Answer[] = [];
  // The count may be wrong: reading throws at the end of the bytes.
  while (answers.length < count) answers.push(readAnswer(reader));
  return { asked, answers };
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
