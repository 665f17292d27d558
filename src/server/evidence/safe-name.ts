/** Code points, of up to four bytes each: with what is put around it a name stays below the 255 bytes that Linux allows. */
const maxLength = 50;

/** A text from outside as one component of a path: letters, digits and a few marks, and never one that leads elsewhere. */
export function safeName(text: string): string {
  const name = text.replaceAll(/[^\p{L}\p{N}._:-]+/gu, '-').replace(/^[.-]+/, '');
  return Array.from(name).slice(0, maxLength).join('') || 'unnamed';
}
