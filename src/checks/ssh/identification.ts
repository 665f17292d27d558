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
/** As much of other text before it as OpenSSH's client reads lines. */
const maxLinesBefore = 1024;

/** Makes a reader for the line that begins with `SSH-`; other lines may stand before it. It gets all bytes so far, and looks at each line once. */
export function identificationReader(): (bytes: Buffer) => FoundText<Identification> | undefined {
  let lines = 0;
  let start = 0;
  return (bytes) => {
    for (; lines <= maxLinesBefore; lines++) {
      const newline = bytes.indexOf(0x0a, start);
      if (newline < 0) return undefined;
      const line = bytes.toString('latin1', start, newline + 1);
      if (line.startsWith('SSH-')) return { value: parse(line), end: newline + 1 };
      start = newline + 1;
    }
    const got = quoted(showBytes(bytes));
    throw new Failure('protocol', `Expected a line that begins with "SSH-", got ${maxLinesBefore} others: ${got}.`);
  };
}

function parse(line: string): Identification {
  const text = line.replace(/\r?\n$/, '');
  const [, protocol = '', software = '', comments = ''] = /^SSH-([^-]*)-?(\S*) ?(.*)$/s.exec(text) ?? [];
  const oddities: string[] = [];
  if (!line.endsWith('\r\n') && protocol === '2.0') oddities.push('The identification ends with LF alone.');
  if (line.length > maxLineBytes)
    oddities.push(`The identification has ${line.length} bytes, more than ${maxLineBytes}.`);
  if (software === '') oddities.push('The identification names no software.');
  return {
    banner: printable(text.slice(0, maxLineBytes)),
    protocol: printable(protocol.slice(0, maxLineBytes)),
    software: printable(software.slice(0, maxLineBytes)),
    comments: printable(comments.slice(0, maxLineBytes)),
    oddities,
  };
}
