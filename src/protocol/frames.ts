import type { z } from 'zod';
import type { Lane, ProtocolErrorCode } from './messages.ts';

export const maxFrameBytes = 1024 * 1024;
const maxMistakeLength = 300;

/** A frame that is refused, and why. The code is sent back and counted; at most the connection ends. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;
  /** The message holds words of the other side, which may be a stranger. */
  readonly quotesOther: boolean;

  constructor(code: ProtocolErrorCode, message: string, { quotesOther = false } = {}) {
    super(message);
    this.code = code;
    this.quotesOther = quotesOther;
  }
}

/** Reads one text frame. @throws {ProtocolError} bad-frame, saying where */
export function decodeFrame<Message>(schema: z.ZodType<Message>, frame: string): Message {
  if (frame.length > maxFrameBytes)
    throw new ProtocolError('bad-frame', `expected at most ${maxFrameBytes} bytes, got ${frame.length}`);
  let value: unknown;
  try {
    // JSON.parse does not recurse, nor do the schemas into free-form values, whose depth they bound.
    value = JSON.parse(frame);
  } catch (error) {
    throw new ProtocolError('bad-frame', `expected JSON: ${(error as SyntaxError).message}`, { quotesOther: true });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const mistake = `${issue?.path.join('.') || 'the frame'}: ${issue?.message ?? 'not valid'}`;
  // The message may quote the input, so its length is bounded.
  throw new ProtocolError('bad-frame', mistake.slice(0, maxMistakeLength), { quotesOther: true });
}

/** Builds an entries frame from items that are JSON already, so that the most frequent message is not parsed and serialised again. */
export function encodeEntries({ lane, epoch, entries }: EncodedEntries): string {
  const list = entries.map(({ seq, json }) => `{"seq":${seq},"item":${json}}`).join(',');
  return `{"type":"entries","lane":"${lane}","epoch":${JSON.stringify(epoch)},"entries":[${list}]}`;
}

interface EncodedEntries {
  readonly lane: Lane;
  readonly epoch: string;
  readonly entries: readonly { readonly seq: number; readonly json: string }[];
}
