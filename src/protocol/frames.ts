import type { z } from 'zod';
import type { Lane, ProtocolErrorCode } from './messages.ts';

export const maxFrameBytes = 1024 * 1024;
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
  let value: unknown;
  try {
    // It does not recurse, and neither do the schemas into what is free in form; the depth of that they bound.
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
