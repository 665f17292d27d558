/** Control, format (zero width, direction), private and unassigned characters, and blanks that look like the usual one. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** Why people cannot read a name or tell it from another: it has an invisible character. Undefined if it has none. */
export function unseenMistake(name: string): string | undefined {
  // RFC 3986, section 5.2.4: they are taken out of every address before it is sent.
  if (name === '.' || name === '..') return 'expected a name that an address can hold';
  const [character] = unseen.exec(name) ?? [];
  if (character === undefined) return undefined;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `expected a name without control and invisible characters, got one with U+${code}`;
}

/**
 * Two names that people cannot tell apart, or would confuse, are the same: Unicode NFKC, case folded, blanks as one, and letters of
 * Cyrillic and Greek that look like Latin ones, as capitals or small, taken for these (Unicode TR 39, confusables).
 */
export function isSameName(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

/** The name if it is free, else the name with the lowest free number behind it. */
export function numberedName(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name;
  for (let number = 2; ; number++) {
    const numbered = `${name}-${number}`;
    if (!isTaken(numbered)) return numbered;
  }
}

function folded(name: string): string {
  const oneCase = name.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().replaceAll(/\s+/g, ' ');
  return oneCase.replaceAll(/[\u0370-\u03ff\u0400-\u052f]/g, (letter) => lookalikes.get(letter) ?? letter);
}

/** Small letters of Cyrillic and Greek, and the Latin ones that they, or their capitals, look like. */
const lookalikes: ReadonlyMap<string, string> = new Map(
  ['аa вb еe ѕs іi јj кk мm нh оo рp сc тt уy хx һh ԁd ԛq ԝw ѵv ӏl', 'αa βb εe ζz ηh ιi κk μm νv οo ρp τt υy χx ϲc ϳj']
    .flatMap((pairs) => pairs.split(' '))
    .map(([letter = '', latin = '']) => [letter, latin]),
);
