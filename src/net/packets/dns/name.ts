/** RFC 1035 section 2.3.4: a name's labels with their length bytes and the root's. */
export const maxNameBytes = 255;
const maxLabelBytes = 63;

const plain = /^[\w-]*$/;
const specialInLabel = /[^!-~]|["();@$.\\]/g;
const specialInQuotes = /[^ -~]|["\\]/g;

/** A label as people write it: what would be read as something else is escaped (RFC 1035 section 5.1). */
export function labelText(label: Buffer): string {
  const text = label.toString('latin1');
  return plain.test(text) ? text : escaped(text, specialInLabel);
}

/** A character string as people write it, in quotes. */
export function quotedBytes(bytes: Buffer): string {
  return `"${escaped(bytes.toString('latin1'), specialInQuotes)}"`;
}

function escaped(latin1: string, special: RegExp): string {
  return latin1.replace(special, (char) =>
    char > ' ' && char <= '~' ? `\\${char}` : `\\${String(char.charCodeAt(0)).padStart(3, '0')}`,
  );
}

/** The bytes of escaped text; undefined if an escape is broken or stands for more than a byte. Beyond ASCII it is UTF-8. */
export function unescaped(text: string): Buffer | undefined {
  if (!text.includes('\\')) return Buffer.from(text);
  const parts: Buffer[] = [];
  for (const [part] of text.matchAll(/\\\d{3}|\\[^]|\\$|[^\\]+/gu)) {
    if (!part.startsWith('\\')) parts.push(Buffer.from(part));
    else if (part.length !== 4) parts.push(Buffer.from(part.slice(1)));
    else if (Number(part.slice(1)) > 0xff) return undefined;
    else parts.push(Buffer.of(Number(part.slice(1))));
    if (part === '\\') return undefined;
  }
  return Buffer.concat(parts);
}

/** The labels of a name as people write it, with or without the final dot; undefined if it is not a name. */
export function labelsOf(name: string): readonly Buffer[] | undefined {
  if (name === '.') return [];
  const parts = name.match(/(?:\\[^]|[^.\\])+/g) ?? [];
  const rejoined = parts.join('.');
  if (rejoined === '' || (rejoined !== name && `${rejoined}.` !== name)) return undefined;
  const labels = parts.map(unescaped).filter((label) => label !== undefined);
  const nameBytes = labels.reduce((total, { length }) => total + length + 1, 1);
  const fits = nameBytes <= maxNameBytes && labels.every(({ length }) => length > 0 && length <= maxLabelBytes);
  return fits && labels.length === parts.length ? labels : undefined;
}

/** A name as a reader of messages would write it; undefined if it is not a name. Each byte can be escaped in several ways. */
export function normalName(name: string): string | undefined {
  const labels = labelsOf(name);
  return labels && (labels.map(labelText).join('.') || '.');
}

/** Of names that are written alike, the form in which equal ones are equal: lower case, no final dot (RFC 4343). */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  // An escaped dot belongs to its label.
  return /[^\\]\.$/.test(lower) ? lower.slice(0, -1) : lower;
}
