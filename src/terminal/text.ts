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

/** The text as lines of at most so many columns, broken at blanks; a word that is longer is broken inside. */
export function wrap(text: string, columns: number): readonly string[] {
  const room = Math.max(1, columns);
  if (text.length <= room / 2 || widthOf(text) <= room) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= room) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = broken(word, room);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  return line === '' ? lines : [...lines, line];
}

function broken(word: string, columns: number): readonly string[] {
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const grapheme of graphemesOf(word)) {
    const width = columnsOf(grapheme);
    if (used + width > columns && piece !== '') {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += grapheme;
    used += width;
  }
  return [...pieces, piece];
}
