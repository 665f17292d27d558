import type { Headers } from '../packets/http-fields.ts';

/**
 * The text of a body. Its charset is told, first to last, by a byte order mark, by Content-Type, by the document itself
 * (the first 1,024 bytes of HTML and XML), and else it is UTF-8. JSON is UTF-8 (RFC 8259 section 8.1). Labels mean what the
 * WHATWG Encoding Standard says: `iso-8859-1` is windows-1252. Bytes that are no text become U+FFFD.
 */
export function textOf(bytes: Buffer, headers: Headers): string {
  return decoderFor(bytes, headers.get('content-type') ?? '').decode(bytes);
}

const utf8 = 'utf-8';

function decoderFor(bytes: Buffer, contentType: string): TextDecoder {
  const marked = byteOrderMark(bytes);
  if (marked !== undefined) return new TextDecoder(marked);
  const mediaType = (/^[^;]*/.exec(contentType)?.[0] ?? '').trim().toLowerCase();
  if (/[/+]json$/.test(mediaType)) return new TextDecoder(utf8);
  return decoderOf(charsetIn(contentType)) ?? decoderOf(charsetOfDocument(bytes, mediaType)) ?? new TextDecoder(utf8);
}

function byteOrderMark(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return utf8;
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : undefined;
}

/** Undefined for a label that stands for no encoding. */
function decoderOf(label: string | undefined): TextDecoder | undefined {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

/** A parameter of a media type (RFC 9110 section 5.6.6), quoted or not. */
function charsetIn(contentType: string): string | undefined {
  const [, quoted, bare] = /;\s*charset\s*=\s*(?:"([^"]*)"|'?([^\s;'"]+))/i.exec(contentType) ?? [];
  return quoted ?? bare;
}

/** HTML section 13.2.3.2 (prescan) and XML section 4.3.3. */
function charsetOfDocument(bytes: Buffer, mediaType: string): string | undefined {
  const isXml = /[/+]xml$/.test(mediaType);
  const isHtml = mediaType === 'text/html' || mediaType === 'application/xhtml+xml' || mediaType === '';
  if (!isXml && !isHtml) return undefined;
  const start = bytes.toString('latin1', 0, 1024);
  const label = declared(start) ?? (isHtml ? metaCharset(start) : undefined);
  // A document that can be read this far is not in UTF-16, whatever it says.
  return label !== undefined && /^utf-?16/i.test(label) ? utf8 : label;
}

function declared(start: string): string | undefined {
  return /^\s*<\?xml\s[^>]*\bencoding\s*=\s*["']([\w.:-]+)/.exec(start)?.[1];
}

function metaCharset(start: string): string | undefined {
  const markup = start.replaceAll(/<!--.*?(?:-->|$)/gs, '');
  return /<meta\s[^>]*?\bcharset\s*=\s*["']?\s*([^\s"'/>;]+)/i.exec(markup)?.[1];
}
