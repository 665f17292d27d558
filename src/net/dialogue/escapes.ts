const controls: Readonly<Record<string, number>> = { r: 0x0d, n: 0x0a, t: 0x09, '0': 0x00, '\\': 0x5c };

/**
 * The bytes of a text as people write it, as printf does: `\r`, `\n`, `\t`, `\0` and `\\` as in most languages, `\xNN` one
 * byte, anything else in UTF-8. A backslash before another character stands for itself.
 */
export function unescapedBytes(text: string): Buffer {
  const parts = text.match(/\\x[\dA-Fa-f]{2}|\\[rnt0\\]|\\|[^\\]+/g) ?? [];
  return Buffer.concat(parts.map(bytesOf));
}

function bytesOf(part: string): Buffer {
  if (!part.startsWith('\\') || part.length === 1) return Buffer.from(part);
  if (part.length === 4) return Buffer.of(Number.parseInt(part.slice(2), 16));
  const control = controls[part.charAt(1)];
  return control === undefined ? Buffer.from(part) : Buffer.of(control);
}
