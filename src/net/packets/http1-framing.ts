import { headersOf, tokensOf, type HeaderField, type Headers } from './http-fields.ts';

/** Why a response is rejected: malformed, over one of our limits, or cut off. */
export type Http1Fault = 'malformed' | 'too-large' | 'truncated';

/** The message says what was expected and what came. */
export class Http1Error extends Error {
  override readonly name = 'Http1Error';
  readonly fault: Http1Fault;

  constructor(fault: Http1Fault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** Takes a sentence on something that breaks the standard and that clients tolerate. */
export type NoteOddity = (text: string) => void;

export interface StatusLine {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly statusText: string;
}

export interface ResponseHead extends StatusLine {
  /** In the order in which they came. */
  readonly fields: readonly HeaderField[];
  readonly headers: Headers;
}

/** Where the body ends. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' };

/** A text from the response, safe to show and short: control characters are escaped. */
export function quotedLine(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** RFC 9112 section 4; the spellings that curl takes too are oddities. */
export function parseStatusLine(line: string, note: NoteOddity): StatusLine {
  const match = /^HTTP\/(1\.0|1\.1|2(?:\.0)?)( +)([1-9]\d\d)(?: ([^\0]*))?$/i.exec(line);
  if (!match) throw new Http1Error('malformed', `expected an HTTP/1.1 status line, got ${quotedLine(line)}`);
  const [, version = '', space, status, statusText = ''] = match;
  if (!line.startsWith('HTTP/1.') || space !== ' ') note(`The status line is ${quotedLine(line)}.`);
  return { version: version === '1.0' ? '1.0' : '1.1', status: Number(status), statusText };
}

/** A field line (RFC 9112 section 5). Its value stays as it came, a character a byte. */
export function parseField(line: string, note: NoteOddity): HeaderField {
  const colon = line.indexOf(':');
  // A client that took NUL might read the header otherwise than those behind it.
  if (colon < 0 || line.includes('\0'))
    throw new Http1Error('malformed', `expected a header field, got ${quotedLine(line)}`);
  const given = line.slice(0, colon);
  const name = given.trimEnd().toLowerCase();
  if (!/^[!#$%&'*+.^`|~\w-]+$/.test(given)) note(`A header is named ${quotedLine(given)}.`);
  const value = withoutBlanks(line.slice(colon + 1));
  // oxlint-disable-next-line no-control-regex -- control characters are what a value must not have
  if (/[\x01-\x08\n-\x1f\x7f]/.test(value)) note(`The header ${name} has control characters.`);
  return [name, value];
}

/** Without blanks and tabs at both ends. `trim` would take A0 too, which ends many a character of UTF-8. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Builds the head of a response that is complete. */
export function headOf(status: StatusLine, fields: readonly HeaderField[]): ResponseHead {
  return { ...status, fields, headers: headersOf(fields) };
}

/** RFC 9112 section 6.3. Contradictions are read as curl reads them, and noted: a check has one response a connection. */
export function framingOf(head: ResponseHead, method: string, note: NoteOddity = () => {}): Framing {
  const { status, headers } = head;
  const hasNoBody = method === 'HEAD' || status === 204 || status === 304;
  if (hasNoBody || (method === 'CONNECT' && status < 300)) return { kind: 'none' };
  const length = headers.get('content-length');
  const codings = transferCodings(head, note);
  if (codings.length > 0) {
    if (length !== undefined) note('Transfer-Encoding came together with Content-Length (RFC 9112 section 6.2).');
    return { kind: codings.at(-1) === 'chunked' ? 'chunked' : 'until-close' };
  }
  const bytes = length === undefined ? undefined : parseLength(length, note);
  return bytes === undefined ? { kind: 'until-close' } : { kind: 'length', bytes };
}

/** Applied to the body for its transfer, in this order, besides chunks: only some servers do, and none is asked to. */
export function transferContentCodings({ headers }: ResponseHead): readonly string[] {
  return tokensOf(headers.get('transfer-encoding')).filter((name) => name !== 'chunked' && name !== 'identity');
}

const undoable: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate']);

function transferCodings({ version, headers }: ResponseHead, note: NoteOddity): readonly string[] {
  const value = headers.get('transfer-encoding');
  if (value === undefined) return [];
  const names = tokensOf(value);
  const codings = names.filter((name) => name !== 'identity');
  const unknown = codings.find((name) => name !== 'chunked' && !undoable.has(name));
  if (unknown !== undefined)
    throw new Http1Error('malformed', `expected chunked as Transfer-Encoding, got ${quotedLine(value)}`);
  if (names.length !== 1 || names[0] !== 'chunked')
    note(`Transfer-Encoding is ${quotedLine(value)}, expected chunked (RFC 9112 section 6.1).`);
  if (version === '1.0') note('Transfer-Encoding came over HTTP/1.0 (RFC 9112 section 6.1).');
  return codings;
}

/** Read like curl: the last of several, the digits with which it begins; undefined if they are more than any length has. */
function parseLength(value: string, note: NoteOddity): number | undefined {
  const lengths = value.split(',').map((part) => part.trim());
  if (lengths.some((length) => !/^\+?\d(?!x)/i.test(length)))
    throw new Http1Error('malformed', `expected a number as Content-Length, got ${quotedLine(value)}`);
  const bytes = Number.parseInt(lengths.at(-1) ?? '', 10);
  // The same length several times is one length (RFC 9110 section 8.6).
  if (new Set(lengths).size > 1 || !/^\d+$/.test(lengths[0] ?? '') || !Number.isSafeInteger(bytes))
    note(`Content-Length is ${quotedLine(value)}.`);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The size in a chunk's first line; extensions are ignored (RFC 9112 section 7.1). */
export function parseChunkSize(line: string): number {
  const match = /^([\da-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line);
  if (!match) throw new Http1Error('malformed', `expected the size of a chunk, got ${quotedLine(line)}`);
  return Number.parseInt(match[1] ?? '', 16);
}
