import { z } from 'zod';
import { hexBytes } from '../../core/bytes.ts';
import { Failure } from '../../core/failure.ts';
import { MatchingBudget } from '../../core/matching.ts';
import { compilePattern, pattern } from '../../core/pattern.ts';
import type { Conversation, FoundText } from './conversation.ts';
import { unescapedBytes } from './escapes.ts';

const maxBytes = 65_536;

const fields = z.strictObject({
  send: z
    .string()
    .min(1)
    .max(maxBytes)
    .optional()
    .meta({ description: String.raw`Text to send; \r\n ends a line, \xNN is one byte, \\ a backslash` }),
  hex: hexBytes(maxBytes).optional().meta({ description: 'Bytes to send, in hexadecimal' }),
  expect: pattern.optional().meta({ description: 'Regular expression (RE2) to wait for in what comes' }),
  expectHex: hexBytes(maxBytes).optional().meta({ description: 'Bytes to wait for in what comes, in hexadecimal' }),
  reject: pattern.optional().meta({ description: 'Regular expression (RE2) that ends the wait: the answer was no' }),
  startTls: z.literal(true).optional().meta({ description: 'Go on in TLS' }),
});

/** One step: it sends, waits, or does both in this order; or it is a TLS handshake. */
export type Step = z.output<typeof fields>;

export const step = fields.superRefine((given, context) => {
  const mistake = mistakeIn(given);
  if (mistake) context.addIssue({ code: 'custom', message: mistake });
});

function mistakeIn({ send, hex, expect, expectHex, reject, startTls }: Step): string | undefined {
  const sends = [send, hex].filter((value) => value !== undefined).length;
  const waits = [expect, expectHex].filter((value) => value !== undefined).length;
  if (startTls) return sends + waits > 0 || reject !== undefined ? 'expected startTls in a step of its own' : undefined;
  if (sends > 1) return 'expected send or hex, not both';
  if (waits > 1) return 'expected expect or expectHex, not both';
  if (reject !== undefined && waits === 0) return 'expected reject only beside expect';
  return sends + waits === 0 ? 'expected send, expect or both' : undefined;
}

/**
 * Does one step; a handshake is the caller's.
 * @throws {Failure} assertion, timeout, closed, reset, too-large; or the signal's reason
 */
export async function doStep(
  conversation: Conversation,
  { send, hex, expect, expectHex, reject }: Step,
): Promise<void> {
  if (send !== undefined) conversation.write(unescapedBytes(send));
  if (hex !== undefined) conversation.write(Buffer.from(hex, 'hex'));
  const budget = new MatchingBudget(quartersOfSecond);
  const rejects = reject === undefined ? () => undefined : finderOf(reject, budget);
  if (expect !== undefined) await wait(conversation, { text: `/${expect}/`, find: finderOf(expect, budget), rejects });
  if (expectHex === undefined) return;
  const wanted = Buffer.from(expectHex, 'hex');
  await wait(conversation, { text: expectHex, find: (bytes) => endOfBytes(bytes, wanted), rejects });
}

/** For one wait: all bytes so far are searched again with each further piece. */
const quartersOfSecond = 4;

interface Wanted {
  /** For messages. */
  readonly text: string;
  /** Where it ends; undefined if it is not there. */
  readonly find: (bytes: Buffer) => number | undefined;
  /** The same of what ends the wait. */
  readonly rejects: (bytes: Buffer) => number | undefined;
}

async function wait(conversation: Conversation, wanted: Wanted): Promise<void> {
  const { where } = conversation;
  const mismatch = (): string =>
    `Expected ${wanted.text} from ${where}, got ${conversation.shown(conversation.unread)}`;
  const find = (bytes: Buffer): FoundText<undefined> | undefined => {
    const end = wanted.find(bytes);
    if (end !== undefined) return { value: undefined, end };
    if (wanted.rejects(bytes) !== undefined) throw new Failure('assertion', `${mismatch()}.`);
    return undefined;
  };
  try {
    await conversation.read(find, `Waiting for ${wanted.text} from ${where}`);
  } catch (error) {
    // Whatever ended the wait: that something else came tells more.
    const came = conversation.unread.length > 0 && error instanceof Failure && error.reason !== 'too-large';
    if (!came || error.reason === 'assertion') throw error;
    throw new Failure('assertion', `${mismatch()}. ${error.message}`, { cause: error.cause });
  }
}

/** The expressions read UTF-8. */
function finderOf(source: string, budget: MatchingBudget): Wanted['find'] {
  return (bytes) => {
    if (!budget.spend(bytes.length, source)) {
      const message = `What came, ${bytes.length} bytes in many pieces, takes too long to search for /${source}/.`;
      throw new Failure('too-large', message, { as: { status: 'unknown', source: 'agent' } });
    }
    const matcher = compilePattern(source).matcher(bytes);
    return matcher.find() ? matcher.end() : undefined;
  };
}

function endOfBytes(bytes: Buffer, wanted: Buffer): number | undefined {
  const start = bytes.indexOf(wanted);
  return start < 0 ? undefined : start + wanted.length;
}
