import { randomInt } from 'node:crypto';
import { Failure } from '../../core/failure.ts';
import { decodeMessage, encodeMessage, type DnsMessage, type DnsQuestion, type Edns } from '../packets/dns/message.ts';
import { canonicalName } from '../packets/dns/name.ts';
import { DnsFormatError } from '../packets/dns/reader.ts';

export interface DnsQuery {
  readonly question: DnsQuestion;
  readonly recursionDesired: boolean;
  readonly edns?: Edns;
}

/** A query with an id that cannot be foreseen (RFC 5452); DNS over HTTPS wants zero, so that answers can be cached. */
export function encodeQuery({ question, recursionDesired, edns }: DnsQuery, id = randomInt(0x1_0000)): Buffer {
  return encodeMessage({
    id,
    flags: recursionDesired ? ['rd'] : [],
    opcode: 0,
    rcode: 0,
    questions: [question],
    answers: [],
    authorities: [],
    additionals: [],
    ...(edns && { edns }),
  });
}

interface Received {
  readonly query: Buffer;
  readonly reply: Buffer;
  /** Who answered and how, for messages. */
  readonly peer: string;
}

/** The answer to exactly this query. @throws {Failure} protocol, if it is malformed or answers something else */
export function readReply({ question }: DnsQuery, { query, reply, peer }: Received): DnsMessage {
  const message = decoded(reply, peer);
  const { id, flags, opcode, rcode, questions } = message;
  const sentId = query.readUInt16BE(0);
  if (id !== sentId) throw new Failure('protocol', `Expected an answer with id ${sentId} from ${peer}, got id ${id}.`);
  if (!flags.includes('qr') || opcode !== 0)
    throw new Failure('protocol', `Expected an answer from ${peer}, got a message that is none (opcode ${opcode}).`);
  // A server that refuses a query may leave the question out.
  if (questions.length === 0 && rcode !== 0) return message;
  const [asked] = questions;
  const fits = asked && asked.type === question.type && canonicalName(asked.name) === canonicalName(question.name);
  if (questions.length === 1 && fits) return message;
  const got = questions.slice(0, 3).map(({ name, type }) => `${name} ${type}`);
  throw new Failure(
    'protocol',
    `Expected an answer about ${question.name} ${question.type} from ${peer}, got one about ${got.join(', ') || 'nothing'}.`,
  );
}

function decoded(reply: Buffer, peer: string): DnsMessage {
  try {
    return decodeMessage(reply);
  } catch (error) {
    if (!(error instanceof DnsFormatError)) throw error;
    const about = `Expected a DNS message from ${peer}, got ${reply.length} bytes that are none: ${error.message}.`;
    throw new Failure('protocol', about, { cause: error });
  }
}
