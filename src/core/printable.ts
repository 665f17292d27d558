// C0, DEL, C1, line separators and the marks that change writing direction: a terminal obeys them, a person never sees them.
// oxlint-disable-next-line no-control-regex -- these are the characters to find
const commanding = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text from outside made safe to print: a banner must not drive the terminal. */
export function printable(text: string): string {
  return text.replaceAll(commanding, (character) => {
    if (character === '\n') return String.raw`\n`;
    if (character === '\r') return String.raw`\r`;
    if (character === '\t') return String.raw`\t`;
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}
