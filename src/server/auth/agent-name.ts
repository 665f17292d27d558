/** Beyond this a name fits no table. */
const maxNameLength = 100;
/** Control, format (zero width, direction), private and unassigned characters: what is not seen tells no agent from another. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]/u;

/** What is wrong with a name as an agent's; undefined if nothing is. */
export function nameMistake(name: string): string | undefined {
  if (name.length > maxNameLength) return `expected a name of at most ${maxNameLength} characters`;
  if (unseen.test(name)) return 'expected a name without control and invisible characters';
  return name.trim() === name && name !== '' ? undefined : 'expected a name that neither begins nor ends with a blank';
}

/** Two names that people cannot tell apart, or would confuse, are the same (Unicode NFKC, case folded, blanks as one). */
export function isSameName(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

/** The name with the lowest number behind it that is free; the name itself if it is. */
export function numberedName(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name;
  for (let number = 2; ; number++) {
    const numbered = `${name}-${number}`;
    if (!isTaken(numbered)) return numbered;
  }
}

function folded(name: string): string {
  return name.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().replaceAll(/\s+/g, ' ');
}
