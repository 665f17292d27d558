import { createReadStream } from 'node:fs';

/** A line of a file; `problem` says why it is invalid. */
export type FileLine = { readonly text: string } | { readonly problem: string };

/** Far above the longest line that an agent seals. */
const maxLineBytes = 1024 * 1024;

/**
 * The lines of a file, byte for byte: each ends with a line feed and is valid UTF-8 (invalid bytes would all decode to the same
 * character and hash alike). Reading stops at a line that is too long.
 */
export async function* linesOf(file: string): AsyncGenerator<FileLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed)) {
      const text = decoded(decoder, bytes.subarray(0, end));
      yield text === undefined ? { problem: 'expected UTF-8, got bytes that are none' } : { text };
      bytes = bytes.subarray(end + 1);
    }
    rest = bytes;
    if (rest.length > maxLineBytes) break;
  }
  if (rest.length > 0)
    yield { problem: `expected a line feed at the end of each line, got ${rest.length} bytes without one` };
}

const lineFeed = 0x0a;

function decoded(decoder: TextDecoder, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
