import type { FoundText } from './conversation.ts';

/** The whole answer to a command, once its last line is there. */
export interface ServerReply {
  /** `220`, `OK`, `+OK`, as the protocol has it; in capitals. */
  readonly status: string;
  /** What stands behind the status on its lines, and for IMAP the untagged lines before it. */
  readonly lines: readonly string[];
  /** All of it. */
  readonly bytes: Buffer;
}

/** What came is no reply; the message says what did. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** Finds a whole reply at the begin of what came; undefined while there is more to come. */
export type ReplyReader = (bytes: Buffer) => FoundText<ServerReply> | undefined;

interface Line {
  readonly text: string;
  readonly end: number;
}

/** The lines that are complete; they end with LF, before which CR may be missing. */
function* linesOf(bytes: Buffer, start = 0): Generator<Line> {
  for (let at = start; ;) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) return;
    yield { text: bytes.toString('utf8', at, end).replace(/\r$/, ''), end: end + 1 };
    at = end + 1;
  }
}

interface CodeLine {
  readonly code: string;
  readonly goesOn: boolean;
  readonly rest: string;
}

/** A line with a reply code: `250-PIPELINING`, `250`; undefined if it has none. */
function codeLineOf(text: string): CodeLine | undefined {
  const [, code, mark, rest = ''] = /^(\d{3})(?:([ -])(.*))?$/.exec(text) ?? [];
  return code === undefined ? undefined : { code, goesOn: mark === '-', rest };
}

/** RFC 5321 section 4.2: each line has the code, a hyphen where another follows, and maybe text. */
export const readSmtpReply: ReplyReader = (bytes) => {
  const lines: string[] = [];
  for (const { text, end } of linesOf(bytes)) {
    const line = codeLineOf(text);
    if (!line) throw new ReplyError(text);
    lines.push(line.rest);
    if (!line.goesOn) return found(bytes, end, { status: line.code, lines });
  }
  return undefined;
};

/** RFC 959 section 4.2: a hyphen after the first code, and any lines until one begins with the same code and a space. */
export const readFtpReply: ReplyReader = (bytes) => {
  const lines: string[] = [];
  let status: string | undefined;
  for (const { text, end } of linesOf(bytes)) {
    const line = codeLineOf(text);
    if (!line && status === undefined) throw new ReplyError(text);
    lines.push(line?.rest ?? text);
    status ??= line?.code;
    if (line && line.code === status && !line.goesOn) return found(bytes, end, { status, lines });
  }
  return undefined;
};

/** RFC 9051 section 7.1: `* OK`, `* PREAUTH` or `* BYE`. */
export const readImapGreeting: ReplyReader = (bytes) => {
  for (const { text, end } of linesOf(bytes)) {
    const { status, rest = '' } = /^\* (?<status>OK|PREAUTH|BYE)(?: (?<rest>.*))?$/i.exec(text)?.groups ?? {};
    if (status === undefined) throw new ReplyError(text);
    return found(bytes, end, { status: status.toUpperCase(), lines: [rest] });
  }
  return undefined;
};

/** RFC 9051 section 7: untagged lines, then one with the tag of the command and OK, NO or BAD; or `+`, which asks for more. */
export function imapReader(tag: string): ReplyReader {
  return (bytes) => {
    const untagged: string[] = [];
    for (let line = imapLine(bytes, 0); line; line = imapLine(bytes, line.end)) {
      const [, mark, rest = ''] = /^(\S*) ?(.*)$/s.exec(line.text) ?? [];
      if (mark === '+') return found(bytes, line.end, { status: '+', lines: [...untagged, rest] });
      if (mark === tag) return found(bytes, line.end, taggedReply(line.text, { rest, untagged }));
      if (mark !== '*') throw new ReplyError(line.text);
      untagged.push(rest);
    }
    return undefined;
  };
}

function taggedReply(
  line: string,
  { rest, untagged }: { readonly rest: string; readonly untagged: readonly string[] },
): Omit<ServerReply, 'bytes'> {
  const [, status, text = ''] = /^(OK|NO|BAD)(?: (.*))?$/i.exec(rest) ?? [];
  if (status === undefined) throw new ReplyError(line);
  return { status: status.toUpperCase(), lines: [...untagged, text] };
}

/** A line with the literals in it (`{5}`, then five bytes), which are left out of its text. */
function imapLine(bytes: Buffer, start: number): Line | undefined {
  let text = '';
  for (let at = start; ;) {
    const line = linesOf(bytes, at).next().value;
    if (!line) return undefined;
    text += line.text;
    const literal = /\{(\d{1,9})\+?\}$/.exec(line.text);
    if (!literal) return { text, end: line.end };
    at = line.end + Number(literal[1]);
  }
}

/** RFC 1939 section 3: `+OK` or `-ERR`, in capitals, which not every server keeps to; and maybe text. */
export const readPop3Reply: ReplyReader = (bytes) => {
  for (const { text, end } of linesOf(bytes)) {
    const { status, rest = '' } = /^(?<status>\+OK|-ERR|\+)(?: (?<rest>.*))?$/i.exec(text)?.groups ?? {};
    if (status === undefined) throw new ReplyError(text);
    return found(bytes, end, { status: status.toUpperCase(), lines: [rest] });
  }
  return undefined;
};

/** The same where `+OK` is followed by lines up to one with a dot alone. */
export const readPop3List: ReplyReader = (bytes) => {
  const first = readPop3Reply(bytes);
  if (first?.value.status !== '+OK') return first;
  const lines: string[] = [];
  for (const { text, end } of linesOf(bytes, first.end)) {
    if (text === '.') return found(bytes, end, { status: '+OK', lines });
    lines.push(text.replace(/^\./, ''));
  }
  return undefined;
};

function found(bytes: Buffer, end: number, reply: Omit<ServerReply, 'bytes'>): FoundText<ServerReply> {
  return { value: { ...reply, bytes: bytes.subarray(0, end) }, end };
}
