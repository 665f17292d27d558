import { createHash } from 'node:crypto';

/** With what is put around it a name stays below the 255 bytes that Linux allows. */
const maxLength = 50;
const usual = /^[a-z\d:][a-z\d._:%-]*$/;

/**
 * A text from outside as one component of a path, and never one that leads elsewhere. Two texts have two names, which neither a file
 * system that ignores case nor a person takes for each other: one that is not all of plain letters ends with its hash.
 */
export function safeName(text: string): string {
  if (text.length <= maxLength && usual.test(text)) return text;
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z\d._:%-]+/g, '-')
    .replace(/^[.%-]+/, '')
    .slice(0, maxLength);
  return `${name || 'unnamed'}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
}
