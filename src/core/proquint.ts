const consonants = 'bdfghjklmnprstvz';
const vowels = 'aiou';

/** Bytes as words that can be read aloud and compared by ear, of 16 bits each (D. S. Wilkerson, "A Proposal for Proquints", 2009). */
export function proquints(bytes: Buffer): readonly string[] {
  return Array.from({ length: bytes.length / 2 }, (_, index) => {
    const bits = bytes.readUInt16BE(2 * index);
    const at = (shift: number, letters: string): string => letters.charAt((bits >> shift) & (letters.length - 1));
    return at(12, consonants) + at(10, vowels) + at(6, consonants) + at(4, vowels) + at(0, consonants);
  });
}
