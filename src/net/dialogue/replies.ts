import type { FoundText } from './conversation.ts';

/** The whole answer to a command, once its last line is there. */
export interface ServerReply {
  /** `220`, `OK`, `+OK`, as the protocol has it; in capitals. */
  readonly status: string;
  /** The texts after the status, a line each; for IMAP also the untagged lines before it. */
  readonly lines: readonly string[];
  /** All of it. */
  readonly bytes: Buffer;
}

/** Thrown for a line that is no reply; the message is that line. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/**
 * Makes a reader for one reply. It gets all bytes so far, again and again with more at the end, and returns undefined until the
 * reply is complete. It looks at each line once.
 */
export type ReplyReader = () => (bytes: Buffer) => FoundText<ServerReply> | undefined;

interface Line {
  readonly text: string;
  readonly end: number;
}

/** The lines of bytes that grow, each once; they end with LF, before which CR may be missing. */
class Lines {
  #start: number;
  #searched: number;

  constructor(start = 0) {
    this.#start = start;
    this.#searched = start;
  }

  /** The next line, if all of it is there. */
  next(bytes: Buffer): Line | undefined {
    const at = bytes.indexOf(0x0a, this.#searched);
    this.#searched = at < 0 ? Math.max(this.#searched, bytes.length) : at;
    if (at < 0) return undefined;
    const text = bytes.toString('utf8', this.#start, at).replace(/\r$/, '');
    this.skipTo(at + 1);
    return { text, end: at + 1 };
  }

  /** The lines that are complete and were not taken yet. */
  *of(bytes: Buffer): Generator<Line> {
    for (let line = this.next(bytes); line; line = this.next(bytes)) yield line;
  }

  skipTo(start: number): void {
    this.#start = start;
    this.#searched = start;
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
export const smtpReply: ReplyReader = () => {
  const source = new Lines();
  const lines: string[] = [];
  return (bytes) => {
    for (const { text, end } of source.of(bytes)) {
      const line = codeLineOf(text);
      if (!line) throw new ReplyError(text);
      lines.push(line.rest);
      if (!line.goesOn) return found(bytes, end, { status: line.code, lines });
    }
    return undefined;
  };
};

/** RFC 959 section 4.2: a hyphen after the first code, and any lines until one begins with the same code and a space. */
export const ftpReply: ReplyReader = () => {
  const source = new Lines();
  const lines: string[] = [];
  let status: string | undefined;
  return (bytes) => {
    for (const { text, end } of source.of(bytes)) {
      const line = codeLineOf(text);
      if (!line && status === undefined) throw new ReplyError(text);
      lines.push(line?.rest ?? text);
      status ??= line?.code;
      if (line && line.code === status && !line.goesOn) return found(bytes, end, { status, lines });
    }
    return undefined;
  };
};

/** RFC 9051 section 7.1: `* OK`, `* PREAUTH` or `* BYE`. */
export const imapGreeting: ReplyReader = () => statusLine(/^\* (OK|PREAUTH|BYE)(?: (.*))?$/i);

/** RFC 9051 section 7: untagged lines, then one with the tag of the command and OK, NO or BAD; or `+`, which asks for more. */
export function imapReply(tag: string): ReplyReader {
  return () => {
    const source = new ImapLines();
    const untagged: string[] = [];
    return (bytes) => {
      for (let line = source.next(bytes); line; line = source.next(bytes)) {
        const [, mark, rest = ''] = /^(\S*) ?(.*)$/s.exec(line.text) ?? [];
        if (mark === '+') return found(bytes, line.end, { status: '+', lines: [...untagged, rest] });
        if (mark === tag) return found(bytes, line.end, taggedReply(line.text, { rest, untagged }));
        if (mark !== '*') throw new ReplyError(line.text);
        untagged.push(rest);
      }
      return undefined;
    };
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

/** Lines with the literals in them (`{5}`, then five bytes), which are left out of their text. */
class ImapLines {
  readonly #lines = new Lines();
  #text = '';

  next(bytes: Buffer): Line | undefined {
    for (const { text, end } of this.#lines.of(bytes)) {
      this.#text += text;
      const literal = /\{(\d{1,9})\+?\}$/.exec(text);
      if (literal) {
        this.#lines.skipTo(end + Number(literal[1]));
        continue;
      }
      const whole = this.#text;
      this.#text = '';
      return { text: whole, end };
    }
    return undefined;
  }
}

/** RFC 1939 section 3: `+OK` or `-ERR`, in capitals, which not every server keeps to; and maybe text. */
export const pop3Reply: ReplyReader = () => statusLine(/^(\+OK|-ERR|\+)(?: (.*))?$/i);

/** The same where `+OK` is followed by lines up to one with a dot alone. */
export const pop3List: ReplyReader = () => {
  const readFirst = pop3Reply();
  const lines: string[] = [];
  let source: Lines | undefined;
  return (bytes) => {
    if (!source) {
      const first = readFirst(bytes);
      if (first?.value.status !== '+OK') return first;
      source = new Lines(first.end);
    }
    for (const { text, end } of source.of(bytes)) {
      if (text === '.') return found(bytes, end, { status: '+OK', lines });
      lines.push(text.replace(/^\./, ''));
    }
    return undefined;
  };
};

/** One line of a status and maybe text. */
function statusLine(pattern: RegExp): ReturnType<ReplyReader> {
  const source = new Lines();
  return (bytes) => {
    const line = source.next(bytes);
    if (!line) return undefined;
    const [, status, rest = ''] = pattern.exec(line.text) ?? [];
    if (status === undefined) throw new ReplyError(line.text);
    return found(bytes, line.end, { status: status.toUpperCase(), lines: [rest] });
  };
}

function found(bytes: Buffer, end: number, reply: Omit<ServerReply, 'bytes'>): FoundText<ServerReply> {
  return { value: { ...reply, bytes: bytes.subarray(0, end) }, end };
}
