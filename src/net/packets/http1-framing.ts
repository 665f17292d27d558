/** What is wrong with a response: it breaks the rules, a limit of ours, or off in the middle. */
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

export interface ResponseHead {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly statusText: string;
  /** Lower-case names; a field that came several times is one list (RFC 9110 section 5.3). */
  readonly headers: ReadonlyMap<string, string>;
}

/** Where the body ends. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' };

/** What came, safe to show and short: control characters are escaped. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** RFC 9112 section 4. */
export function parseStatusLine(line: string): Omit<ResponseHead, 'headers'> {
  const match = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([^\0\r]*))?$/.exec(line);
  if (!match) throw new Http1Error('malformed', `expected an HTTP/1.1 status line, got ${quoted(line)}`);
  return { version: match[1] === '0' ? '1.0' : '1.1', status: Number(match[2]), statusText: match[3] ?? '' };
}

/** Adds a field line to `headers` (RFC 9112 section 5); returns the field's name, so that a folded line can be appended. */
export function parseField(line: string, headers: Map<string, string>): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what a value must not have
  const match = /^([!#$%&'*+.^`|~\w-]+):[ \t]*([^\0-\x08\n-\x1f\x7f]*)$/.exec(line);
  if (!match) throw new Http1Error('malformed', `expected a header field, got ${quoted(line)}`);
  const name = (match[1] ?? '').toLowerCase();
  const value = (match[2] ?? '').trimEnd();
  const before = headers.get(name);
  headers.set(name, before === undefined ? value : `${before}, ${value}`);
  return name;
}

/**
 * RFC 9112 section 6.3. Stricter than it where a lenient reading is how requests get smuggled: a length together with
 * chunks, two lengths, and unknown transfer codings are refused.
 */
export function framingOf({ version, status, headers }: ResponseHead, method: string): Framing {
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding');
  if (coding !== undefined && length !== undefined)
    throw new Http1Error('malformed', 'expected one of Content-Length and Transfer-Encoding, got both');
  const hasNoBody = method === 'HEAD' || status === 204 || status === 304;
  if (hasNoBody || (method === 'CONNECT' && status < 300)) return { kind: 'none' };
  if (coding !== undefined) {
    if (version === '1.1' && coding.toLowerCase() === 'chunked') return { kind: 'chunked' };
    throw new Http1Error('malformed', `expected Transfer-Encoding "chunked" on HTTP/1.1, got ${quoted(coding)}`);
  }
  return length === undefined ? { kind: 'until-close' } : { kind: 'length', bytes: parseLength(length) };
}

function parseLength(value: string): number {
  // The same length several times is one length (RFC 9110 section 8.6).
  const [length = '', ...others] = value.split(',').map((part) => part.trim());
  if (!/^\d{1,15}$/.test(length) || others.some((other) => other !== length))
    throw new Http1Error('malformed', `expected one Content-Length, got ${quoted(value)}`);
  return Number(length);
}

/** The size in a chunk's first line; extensions are ignored (RFC 9112 section 7.1). */
export function parseChunkSize(line: string): number {
  const match = /^([\da-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line);
  if (!match) throw new Http1Error('malformed', `expected the size of a chunk, got ${quoted(line)}`);
  return Number.parseInt(match[1] ?? '', 16);
}
