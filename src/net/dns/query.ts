import { randomInt } from 'node:crypto';
import { Failure } from '../../core/failure.ts';
import { decodeMessage } from '../packets/dns/decode.ts';
import { encodeMessage, type DnsMessage, type DnsQuestion, type Edns } from '../packets/dns/message.ts';
import { canonicalName } from '../packets/dns/name.ts';
import { DnsFormatError } from '../packets/dns/reader.ts';
import { followAliases } from './follow-aliases.ts';

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

export interface DnsReply {
  readonly message: DnsMessage;
  readonly bytes: number;
}

interface Sent {
  readonly query: Buffer;
  /** Server and protocol, for messages: `1.1.1.1:853 by TLS`. */
  readonly peer: string;
}

/** Finds the answer to one query among the messages that come; it ignores all others (RFC 5452 section 9.1). */
export class ReplyFilter {
  readonly #question: DnsQuestion;
  readonly #sent: Sent;
  #mismatch: string | undefined;

  constructor({ question }: DnsQuery, sent: Sent) {
    this.#question = question;
    this.#sent = sent;
  }

  /** Undefined if the message is not the answer. */
  readonly read = (bytes: Buffer): DnsReply | undefined => {
    const { query, peer } = this.#sent;
    try {
      const message = decodeMessage(bytes);
      this.#mismatch = mismatchOf(message, this.#question, { id: query.readUInt16BE(0), peer });
      return this.#mismatch === undefined ? { message, bytes: bytes.length } : undefined;
    } catch (error) {
      if (!(error instanceof DnsFormatError)) throw error;
      this.#mismatch = `Expected a DNS message from ${peer}, got ${bytes.length} bytes that are none: ${error.message}.`;
      return undefined;
    }
  };

  /** Why the wait for an answer failed: a message that was none tells more than the end of the wait. */
  failureOf(error: unknown): unknown {
    const endsWait = error instanceof Failure && (error.reason === 'timeout' || error.reason === 'closed');
    return this.#mismatch !== undefined && endsWait ? this.mismatch(error.cause) : error;
  }

  mismatch(cause?: unknown): Failure {
    return new Failure('protocol', `${this.#mismatch}`, { cause });
  }
}

/** Why a message is not the answer to a question; undefined if it is. */
function mismatchOf(
  message: DnsMessage,
  question: DnsQuestion,
  { id, peer }: { readonly id: number; readonly peer: string },
): string | undefined {
  if (message.id !== id) return `Expected an answer with id ${id} from ${peer}, got id ${message.id}.`;
  if (!message.flags.includes('qr') || message.opcode !== 0)
    return `Expected an answer from ${peer}, got a message that is none (opcode ${message.opcode}).`;
  if (isAbout(message, question)) return undefined;
  const got = message.questions.slice(0, 3).map(questionText);
  return `Expected an answer about ${questionText(question)} from ${peer}, got one about ${got.join(', ') || 'nothing'}.`;
}

/** A server that refuses a query may leave the question out, and some that answer it do too. */
function isAbout({ questions: [asked], rcode, answers }: DnsMessage, question: DnsQuestion): boolean {
  if (!asked) return rcode !== 0 || followAliases(question, answers).length > 0;
  return (
    asked.type === question.type &&
    asked.class === question.class &&
    canonicalName(asked.name) === canonicalName(question.name)
  );
}

function questionText({ name, type, class: dnsClass }: DnsQuestion): string {
  return dnsClass === undefined ? `${name} ${type}` : `${name} ${dnsClass} ${type}`;
}
