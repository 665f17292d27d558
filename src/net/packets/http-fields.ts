import { Buffer, isUtf8 } from 'node:buffer';

/** A header field: its name in lower case, and its value as it came, a character a byte. */
export type HeaderField = readonly [name: string, bytes: string];

/** Values as text, by name; a field that came several times is one list (RFC 9110 section 5.3). */
export type Headers = ReadonlyMap<string, string>;

export function headersOf(fields: readonly HeaderField[]): Headers {
  const headers = new Map<string, string>();
  for (const [name, bytes] of fields) {
    const value = fieldText(bytes);
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** The names in a list (RFC 9110 section 5.6.1), lower case. */
export function tokensOf(value = ''): readonly string[] {
  return value
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/** HeaderField values have no charset (RFC 9110 section 5.5): they are UTF-8 where the bytes are valid UTF-8, else Latin-1. */
function fieldText(bytes: string): string {
  if (!isBeyondAscii(bytes)) return bytes;
  const raw = Buffer.from(bytes, 'latin1');
  return isUtf8(raw) ? raw.toString('utf8') : bytes;
}

/** A URL's text out of a field: UTF-8 where the bytes are that, else each byte beyond ASCII is escaped, as curl does. */
export function fieldUrl(bytes: string): string {
  if (!isBeyondAscii(bytes)) return bytes;
  const raw = Buffer.from(bytes, 'latin1');
  if (isUtf8(raw)) return raw.toString('utf8');
  return bytes.replaceAll(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}

function isBeyondAscii(bytes: string): boolean {
  return /[\x80-\xff]/.test(bytes);
}
