// Control characters, line separators, the marks that change writing direction, and characters that nobody sees, by which two names look like
// one: a terminal obeys them, or a person is deceived. Joiners (U+200C, U+200D) have their place in scripts and emoji, after a
// character of theirs.
const commanding =
  /[\p{Cc}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|(?![\u200c\u200d])\p{Cf}|(?<![\u0080-\u{10ffff}])[\u200c\u200d]/gu;

/** Text from outside made safe to print: a banner must not drive the terminal. */
export function printable(text: string): string {
  return text.replaceAll(commanding, (character) => {
    if (character === '\n') return String.raw`\n`;
    if (character === '\r') return String.raw`\r`;
    if (character === '\t') return String.raw`\t`;
    const code = character.codePointAt(0) ?? 0;
    if (code > 0xffff) return `\\u{${code.toString(16)}}`;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes from outside as text that is safe to print: UTF-8 where they are, `\xNN` where they are not. At most `limit` characters. */
export function printableBytes(bytes: Uint8Array, limit = 300): string {
  let text = '';
  for (let at = 0; at < bytes.length && text.length <= limit;) {
    const [character, length] = characterAt(bytes, at);
    text += character;
    at += length;
  }
  const shown = printable(text);
  return shown.length <= limit ? shown : `${shown.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The character that begins there and how many bytes it has; for a byte that begins none, its number. */
function characterAt(bytes: Uint8Array, at: number): readonly [string, number] {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return [String.fromCharCode(first), 1];
  // RFC 3629 section 3: the first byte says how many there are.
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    return [utf8.decode(bytes.subarray(at, at + length)), length];
  } catch {
    return [`\\x${first.toString(16)}`, 1];
  }
}
