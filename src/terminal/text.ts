// East Asian wide and full-width blocks (Unicode UAX #11), and emoji shown as pictures.
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})/u;
let segmenter: Intl.Segmenter | undefined;

/** A colour of ours: it takes no column. */
// oxlint-disable-next-line no-control-regex -- what styleText writes
const colour = /(\u001b\[[\d;]*m)/;

/** Splits a text into the characters that a person sees; a colour code counts as one of its own. */
function graphemesOf(text: string): readonly string[] {
  // Most text is ASCII, and loading the segmenter takes 8 ms of the 300 that a check has from start to exit.
  if (/^[ -~]*$/.test(text)) return text.split('');
  if (colour.test(text)) return text.split(colour).flatMap((part) => (colour.test(part) ? [part] : graphemesOf(part)));
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Columns that printable text takes on a terminal. */
export function widthOf(text: string): number {
  return graphemesOf(text).reduce((columns, grapheme) => columns + columnsOf(grapheme), 0);
}

function columnsOf(grapheme: string): number {
  if (colour.test(grapheme)) return 0;
  return wide.test(grapheme) ? 2 : 1;
}

export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/** The text in at most this many columns; an ellipsis shows a cut. */
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

/**
 * The text as lines of at most this many columns, broken at blanks; a word that is longer is broken inside. Every line but the
 * first begins with the indent.
 */
export function wrap(text: string, columns: number, indent = ''): readonly string[] {
  const room = Math.max(1, columns);
  if (text.length <= room / 2 || widthOf(text) <= room) return [text];
  const roomBelow = Math.max(1, room - indent.length);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= (lines.length === 0 ? room : roomBelow)) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = broken(word, lines.length === 0 ? room : roomBelow);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  if (line !== '') lines.push(line);
  return lines.map((each, index) => (index === 0 ? each : indent + each));
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

/** Lines of a log for a terminal: a longer one goes on below, indented, so that each begins where one expects it. */
export function wrapLog(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => wrap(line, columns, '    ').join('\n'))
    .join('\n');
}
