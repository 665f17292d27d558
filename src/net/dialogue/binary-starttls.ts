import { Failure } from '../../core/failure.ts';
import { childrenOf, DerError, readDer, smallInteger, type DerValue } from '../packets/der.ts';
import { readOrTell } from './commands.ts';
import type { Conversation, FoundText } from './conversation.ts';

/** SSLRequest: its length, then 1234 and 5679 (PostgreSQL, Frontend/Backend Protocol, Message Formats). */
const sslRequest = Buffer.from('0000000804d2162f', 'hex');

/** Asks a PostgreSQL server to go on in TLS. @throws {Failure} assertion, protocol, timeout, closed, reset */
export async function askPostgres(conversation: Conversation): Promise<void> {
  const { where } = conversation;
  conversation.write(sslRequest);
  const answer = await readOrTell(conversation, firstByte, `Waiting for the answer of ${where} to SSLRequest`);
  if (answer === 'S') return;
  if (answer === 'N') throw new Failure('assertion', `Expected S of ${where} to SSLRequest, got N: it offers no TLS.`);
  const got = conversation.shown(Buffer.concat([Buffer.from(answer, 'latin1'), conversation.unread]));
  throw new Failure('protocol', `Expected S or N of ${where} to SSLRequest, got ${got}.`);
}

function firstByte(bytes: Buffer): FoundText<string> | undefined {
  return bytes.length === 0 ? undefined : { value: bytes.toString('latin1', 0, 1), end: 1 };
}

/** LDAPMessage 1 with an extended request named 1.3.6.1.4.1.1466.20037, StartTLS (RFC 4511 section 4.14). */
const startTlsRequest = Buffer.concat([
  Buffer.from('301d02010177188016', 'hex'),
  Buffer.from('1.3.6.1.4.1.1466.20037'),
]);
const sequenceTag = 0x30;
const extendedResponseTag = 0x78;
const success = 0;

/** Asks an LDAP server to go on in TLS. @throws {Failure} assertion, protocol, timeout, closed, reset */
export async function askLdap(conversation: Conversation): Promise<void> {
  const { where } = conversation;
  conversation.write(startTlsRequest);
  const [code, , diagnosis] = await readOrTell(
    conversation,
    extendedResponse,
    `Waiting for the answer of ${where} to StartTLS`,
  );
  const result = code && smallInteger(code);
  if (result === success) return;
  const words = diagnosis && diagnosis.contents.length > 0 ? `: ${conversation.shown(diagnosis.contents)}` : '';
  if (result !== undefined)
    throw new Failure('assertion', `Expected result 0 of ${where} to StartTLS, got ${result}${words}.`);
  throw new Failure('protocol', `Expected an LDAP answer of ${where} to StartTLS, got other bytes.`);
}

/** The parts of an extended response, once all of it is there; none if the bytes are another message. */
function extendedResponse(bytes: Buffer): FoundText<readonly DerValue[]> | undefined {
  if (bytes.length === 0) return undefined;
  const other = { value: [], end: bytes.length };
  if (bytes[0] !== sequenceTag) return other;
  let message: DerValue;
  try {
    message = readDer(bytes);
  } catch (error) {
    // Of a part of a message too.
    if (error instanceof DerError) return undefined;
    throw error;
  }
  try {
    const response = childrenOf(message).find(({ tag }) => tag === extendedResponseTag);
    return response ? { value: childrenOf(response), end: bytes.length } : other;
  } catch (error) {
    if (error instanceof DerError) return other;
    throw error;
  }
}
