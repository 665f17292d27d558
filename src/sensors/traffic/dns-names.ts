import { canonicalName } from '../../net/packets/dns/name.ts';
import { DnsFormatError, DnsReader } from '../../net/packets/dns/reader.ts';
import { addressText, ipv4Text } from './peer-address.ts';

export interface NamedAddress {
  readonly address: string;
  /** As it was asked for. */
  readonly name: string;
  readonly ttlSeconds: number;
}

const isResponse = 0x8000;
const types = { a: 1, cname: 5, aaaa: 28 } as const;
/** RFC 6762 section 10.2: in multicast DNS the top bit of the class tells to drop what was known before. */
const classBits = 0x7fff;
const internet = 1;

interface Answer {
  readonly owner: string;
  readonly ttlSeconds: number;
  readonly address?: string;
  readonly alias?: string;
}

/**
 * The addresses in a DNS answer, RFC 1035, each with the name that was asked for; an answer of multicast DNS, which has no
 * question, with its own. Only the answers are read, and none if any is malformed: the message was not for us.
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
  // A count is only a claim: reading ends with an error where the bytes end.
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

/** Where a chain of aliases begins; one that is a circle begins nowhere, and ends here. */
function firstOf(name: string, aliases: ReadonlyMap<string, string>): string {
  let first = name;
  for (let step = 0; step < aliases.size; step++) first = aliases.get(first) ?? first;
  return first;
}
