import { z } from 'zod';

/** An option of bytes as people write them in hexadecimal: `00ff`, `00 ff` or `00:ff`. Code reads plain lower-case digits. */
export function hexBytes(maxBytes: number) {
  return z
    .string()
    .transform((text) => text.replaceAll(/[\s:]/g, '').toLowerCase())
    .refine((digits) => /^(?:[\da-f]{2})*$/.test(digits), 'expected pairs of hexadecimal digits, like 00ff')
    .refine((digits) => digits.length <= 2 * maxBytes, `expected at most ${maxBytes} bytes`);
}

/** Bytes for a person, on one line: text if they are printable UTF-8, else hexadecimal; at most `limit` characters. */
export function showBytes(bytes: Buffer, limit = 200): string {
  const text = bytes
    .toString('utf8')
    .replaceAll(/[\r\n\t]+/g, ' ')
    .trim();
  const isText = !/\p{C}|\uFFFD/u.test(text);
  const shown = isText ? text : bytes.subarray(0, limit).toString('hex');
  return shown.length > limit ? `${shown.slice(0, limit)}…` : shown;
}
