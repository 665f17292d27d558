import { z } from 'zod';

/** An option of bytes as people write them in hexadecimal: `00ff`, `00 ff` or `00:ff`. Code reads plain lower-case digits. */
export function hexBytes(maxBytes: number) {
  return z
    .string()
    .transform((text) => text.replaceAll(/[\s:]/g, '').toLowerCase())
    .refine((digits) => /^(?:[\da-f]{2})*$/.test(digits), 'expected pairs of hexadecimal digits, like 00ff')
    .refine((digits) => digits.length <= 2 * maxBytes, `expected at most ${maxBytes} bytes`);
}

/** Bytes for a person, on one line: text if they are printable UTF-8 or Latin-1, else hexadecimal; at most `limit` characters. */
export function showBytes(bytes: Buffer, limit = 200): string {
  const shown = printableText(bytes) ?? bytes.subarray(0, limit).toString('hex');
  return shown.length > limit ? `${shown.slice(0, limit)}…` : shown;
}

function printableText(bytes: Buffer): string | undefined {
  // Any bytes are Latin-1: they pass for text where most of them are ASCII, as in any Western language.
  const isMostlyAscii = bytes.reduce((count, byte) => count + (byte < 0x80 ? 1 : 0), 0) >= 0.75 * bytes.length;
  const texts = [bytes.toString('utf8'), ...(isMostlyAscii ? [bytes.toString('latin1')] : [])];
  return texts.map((text) => text.replaceAll(/[\r\n\t]+/g, ' ').trim()).find((text) => !/\p{C}|\uFFFD/u.test(text));
}
