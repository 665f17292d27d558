import { Failure } from '../../core/failure.ts';
import type { Conversation, FoundText } from './conversation.ts';
import { ReplyError, type ServerReply, type ReplyReader } from './replies.ts';

interface Expected {
  /** The status that means yes. */
  readonly status: string | readonly string[];
  /** The command that is answered, for messages: `STARTTLS`, `connecting`. */
  readonly to: string;
  readonly read: ReplyReader;
}

/** Sends a command line, if there is one, and reads its reply. @throws {Failure} protocol, timeout, closed, reset, too-large */
export async function exchange(
  conversation: Conversation,
  line: string | undefined,
  { to, read }: Omit<Expected, 'status'>,
): Promise<ServerReply> {
  const { where } = conversation;
  if (line !== undefined) conversation.write(`${line}\r\n`);
  const doing =
    line === undefined ? `Waiting for the greeting of ${where}` : `Waiting for the reply of ${where} to ${to}`;
  try {
    return await readOrTell(conversation, read(), doing);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    const got = conversation.shown(Buffer.from(error.message));
    throw new Failure('protocol', `Expected a reply of ${where} to ${to}, got ${got}.`, { cause: error });
  }
}

/** Reads; if the wait fails, the message shows the bytes that came until then. @throws {Failure} as `Conversation.read` */
export async function readOrTell<T>(
  conversation: Conversation,
  find: (bytes: Buffer) => FoundText<T> | undefined,
  doing: string,
): Promise<T> {
  try {
    return await conversation.read(find, doing);
  } catch (error) {
    const { unread } = conversation;
    const isEndOfWait = error instanceof Failure && ['timeout', 'closed', 'reset'].includes(error.reason);
    if (!isEndOfWait || unread.length === 0) throw error;
    throw error.with({ message: `${error.message} Until then came ${conversation.shown(unread)}.` });
  }
}

/** The same for a reply that has to be a yes. @throws {Failure} assertion, if it is another; and as `exchange` */
export async function command(
  conversation: Conversation,
  line: string | undefined,
  { status, ...expected }: Expected,
): Promise<ServerReply> {
  const reply = await exchange(conversation, line, expected);
  if ([status].flat().includes(reply.status)) return reply;
  throw refusal(conversation, reply, { ...expected, status, isGreeting: line === undefined });
}

/** The failure that a reply other than the expected one is. */
export function refusal(
  conversation: Conversation,
  { bytes }: ServerReply,
  { status, to, isGreeting = false }: Expected & { readonly isGreeting?: boolean },
): Failure {
  const wanted = [status].flat().join(' or ');
  const { where } = conversation;
  const after = isGreeting ? `in the greeting of ${where}` : `of ${where} to ${to}`;
  return new Failure('assertion', `Expected ${wanted} ${after}, got ${conversation.shown(bytes)}.`);
}
