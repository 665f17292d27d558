// The alphabet of SMS: 3GPP TS 23.038, section 6.2.1.
const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Each takes the room of two. */
const extended = new Set('^{}\\[~]|€');

const near: Readonly<Record<string, string>> = {
  '…': '...',
  '–': '-',
  '—': '-',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '·': '.',
  '→': '->',
  '�': '?',
};

/** The text in letters of the alphabet: accents that it has not are left off, anything else is `?`. */
export function gsmText(text: string): string {
  return Array.from(text, (character) => {
    if (basic.has(character) || extended.has(character)) return character;
    const bare = near[character] ?? character.normalize('NFKD').replaceAll(/\p{M}/gu, '');
    return Array.from(bare, (letter) => (basic.has(letter) || extended.has(letter) ? letter : '?')).join('');
  }).join('');
}

/** How many of the 160 places of one SMS a text takes. */
export function gsmSize(text: string): number {
  return Array.from(text).reduce((size, character) => size + (extended.has(character) ? 2 : 1), 0);
}
