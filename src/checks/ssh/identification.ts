import { showBytes } from '../../core/bytes.ts';
import { Failure } from '../../core/failure.ts';
import { printable } from '../../core/printable.ts';
import { quoted } from '../../core/quoted.ts';
import type { FoundText } from '../../net/dialogue/conversation.ts';

/** How a server says who it is: `SSH-2.0-OpenSSH_9.2p1 Debian-2`. */
export interface Identification {
  readonly banner: string;
  readonly protocol: string;
  readonly software: string;
  readonly comments: string;
  readonly oddities: readonly string[];
}

/** RFC 4253 section 4.2, line end included. */
const maxLineBytes = 255;
/** OpenSSH's client reads no longer line. */
const maxReadBytes = 8192;
/** As much of other text before it as OpenSSH's client reads lines. */
const maxLinesBefore = 1024;

/** Makes a reader for the line that begins with `SSH-`; other lines may stand before it. It gets all bytes so far, and looks at each line once. */
export function identificationReader(): (bytes: Buffer) => FoundText<Identification> | undefined {
  let lines = 0;
  let start = 0;
  return (bytes) => {
    for (; lines <= maxLinesBefore; lines++) {
      const newline = bytes.indexOf(0x0a, start);
      const length = (newline < 0 ? bytes.length : newline) - start;
      if (length > maxReadBytes) throw unusable(`a line of at most ${maxReadBytes} bytes`, bytes.subarray(start));
      if (newline < 0) return undefined;
      const line = bytes.toString('latin1', start, newline + 1);
      if (/\0|\r(?!\n)/.test(line))
        throw unusable('no NUL, and CR before LF alone, in a line', bytes.subarray(start, newline));
      if (line.startsWith('SSH-')) return { value: parse(line), end: newline + 1 };
      start = newline + 1;
    }
    throw unusable(`a line that begins with "SSH-" among the first ${maxLinesBefore + 1}`, bytes);
  };
}

/** A server that OpenSSH's client does not talk with either. */
function unusable(expected: string, got: Buffer): Failure {
  return new Failure('protocol', `Expected ${expected}, got ${quoted(showBytes(got))}.`);
}

function parse(line: string): Identification {
  const text = line.replace(/\r?\n$/, '');
  const [, protocol = '', software = '', comments = ''] = /^SSH-([^-]*)-?(\S*) ?(.*)$/s.exec(text) ?? [];
  const oddities: string[] = [];
  if (!line.endsWith('\r\n') && protocol === '2.0') oddities.push('The identification ends with LF alone.');
  if (line.length > maxLineBytes)
    oddities.push(`The identification has ${line.length} bytes, more than ${maxLineBytes}.`);
  return {
    banner: printable(text.slice(0, maxLineBytes)),
    protocol: printable(protocol.slice(0, maxLineBytes)),
    software: printable(software.slice(0, maxLineBytes)),
    comments: printable(comments.slice(0, maxLineBytes)),
    oddities,
  };
}
