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

// East Asian wide and full-width blocks (Unicode UAX #11), and emoji shown as pictures.
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})/u;
let segmenter: Intl.Segmenter | undefined;

/** What a person sees as single characters. */
function graphemesOf(text: string): readonly string[] {
  // Most text is ASCII, and loading the segmenter takes 8 ms of the 300 that a check has from start to exit.
  if (/^[ -~]*$/.test(text)) return text.split('');
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Columns that printable text takes on a terminal. */
export function widthOf(text: string): number {
  return graphemesOf(text).reduce((columns, grapheme) => columns + columnsOf(grapheme), 0);
}

function columnsOf(grapheme: string): number {
  return wide.test(grapheme) ? 2 : 1;
}

export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/** At most so many columns; a cut is shown by an ellipsis. */
export function clip(text: string, columns: number): string {
  if (text.length <= columns / 2 || widthOf(text) <= columns) return text;
  let kept = '';
  let used = 0;
  for (const grapheme of graphemesOf(text)) {
    used += columnsOf(grapheme);
    if (used >= columns) break;
    kept += grapheme;
  }
  return `${kept}…`;
}
