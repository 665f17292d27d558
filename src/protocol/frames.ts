import type { z } from 'zod';
import type { Lane, ProtocolErrorCode } from './messages.ts';

export const maxFrameBytes = 1024 * 1024;
/** The deepest honest frame is an outcome's detail within an entry within a batch. */
export const maxFrameDepth = 16;
const maxMistakeLength = 300;

/** A frame that cannot be taken, and why: it is answered with this code, counted, and ends at most its connection. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Reads one text frame. @throws {ProtocolError} bad-frame, saying where */
export function decodeFrame<Message>(schema: z.ZodType<Message>, frame: string): Message {
  if (frame.length > maxFrameBytes)
    throw new ProtocolError('bad-frame', `expected at most ${maxFrameBytes} bytes, got ${frame.length}`);
  if (isDeeperThan(frame, maxFrameDepth))
    throw new ProtocolError('bad-frame', `expected at most ${maxFrameDepth} levels of nesting`);
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch (error) {
    throw new ProtocolError('bad-frame', `expected JSON: ${(error as SyntaxError).message}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const mistake = `${issue?.path.join('.') || 'the frame'}: ${issue?.message ?? 'not valid'}`;
  // It may quote what came.
  throw new ProtocolError('bad-frame', mistake.slice(0, maxMistakeLength));
}

/** An entries frame out of items that are JSON already: the busiest message is not taken apart to be put together again. */
export function encodeEntries({ lane, epoch, entries }: EncodedEntries): string {
  const list = entries.map(({ seq, json }) => `{"seq":${seq},"item":${json}}`).join(',');
  return `{"type":"entries","lane":"${lane}","epoch":${JSON.stringify(epoch)},"entries":[${list}]}`;
}

interface EncodedEntries {
  readonly lane: Lane;
  readonly epoch: string;
  readonly entries: readonly { readonly seq: number; readonly json: string }[];
}

/** Counts brackets outside strings before JSON.parse, which would recurse over them. */
function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === backslash) at++;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (code === openBrace || code === openBracket) {
      if (++depth > limit) return true;
    } else if (code === closeBrace || code === closeBracket) depth--;
  }
  return false;
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [34, 92, 123, 125, 91, 93];
