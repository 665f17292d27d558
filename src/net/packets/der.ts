/** The bytes are not the DER (ITU-T X.690) that a certificate or an OCSP response is made of. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One value: its tag, its contents, and all its bytes with tag and length. */
export interface DerValue {
  readonly tag: number;
  readonly contents: Buffer;
  readonly bytes: Buffer;
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** `[number]`, constructed: a field that says by its number which one it is. */
export const field = (number: number): number => 0xa0 + number;
/** `[number]`, primitive. */
export const plainField = (number: number): number => 0x80 + number;

const maxValues = 10_000;

/** The one value that the bytes are. @throws {DerError} */
export function readDer(bytes: Buffer): DerValue {
  const value = valueAt(bytes, 0);
  if (value.bytes.length !== bytes.length)
    throw new DerError(`${bytes.length - value.bytes.length} bytes follow the value`);
  return value;
}

/** The values inside a value, in their order. @throws {DerError} */
export function childrenOf({ contents }: DerValue): readonly DerValue[] {
  const children: DerValue[] = [];
  for (let at = 0; at < contents.length;) {
    const child = valueAt(contents, at);
    if (children.length >= maxValues) throw new DerError(`more than ${maxValues} values in one`);
    children.push(child);
    at += child.bytes.length;
  }
  return children;
}

function valueAt(bytes: Buffer, at: number): DerValue {
  const tag = byteAt(bytes, at);
  // X.690 section 8.1.2.4: numbers from 31 on take more bytes; nothing that is read here has them.
  if ((tag & 0x1f) === 0x1f) throw new DerError(`tag number above 30 at byte ${at}`);
  const first = byteAt(bytes, at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4) throw new DerError(`length of ${lengthBytes} bytes at byte ${at + 1}`);
  const start = at + 2 + lengthBytes;
  if (start > bytes.length) throw new DerError(`the length at byte ${at + 1} is cut off`);
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  if (length > bytes.length - start)
    throw new DerError(`expected ${length} bytes from byte ${start} on, got ${bytes.length - start}`);
  return { tag, contents: bytes.subarray(start, start + length), bytes: bytes.subarray(at, start + length) };
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new DerError(`the bytes end at byte ${at}`);
  return byte;
}

/** Reads the values of a sequence one after the other; optional ones are told by their tags. */
export class DerSequence {
  readonly #values: readonly DerValue[];
  #next = 0;

  /** @throws {DerError} if the value is no sequence */
  constructor(value: DerValue, tag: number = derTag.sequence) {
    if (value.tag !== tag) throw unexpected(tag, value);
    this.#values = childrenOf(value);
  }

  /** The next value, if it has this tag. */
  optional(tag: number): DerValue | undefined {
    const value = this.#values[this.#next];
    if (value?.tag !== tag) return undefined;
    this.#next += 1;
    return value;
  }

  /** The next value, of this tag or of any. @throws {DerError} */
  take(tag?: number): DerValue {
    const value = this.#values[this.#next];
    if (!value || (tag !== undefined && value.tag !== tag)) throw unexpected(tag, value);
    this.#next += 1;
    return value;
  }
}

function unexpected(tag: number | undefined, value: DerValue | undefined): DerError {
  const wanted = tag === undefined ? 'a value' : `tag 0x${tag.toString(16)}`;
  return new DerError(`expected ${wanted}, got ${value ? `tag 0x${value.tag.toString(16)}` : 'none'}`);
}

/** The value that an explicit field wraps. @throws {DerError} */
export function unwrap({ contents }: DerValue): DerValue {
  return readDer(contents);
}

/** `2.5.29.17`. @throws {DerError} */
export function oidText({ tag, contents }: DerValue): string {
  if (tag !== derTag.oid || contents.length === 0) throw new DerError('expected an object identifier');
  const parts: number[] = [];
  let part = 0;
  for (const byte of contents) {
    part = part * 128 + (byte & 0x7f);
    if (part > Number.MAX_SAFE_INTEGER / 128) throw new DerError('an object identifier with a number too large');
    if (byte & 0x80) continue;
    parts.push(part);
    part = 0;
  }
  const first = parts[0] ?? 0;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...parts.slice(1)].join('.');
}

/** Epoch milliseconds; NaN if the value holds no date. UTCTime's years are 1950 to 2049 (RFC 5280 section 4.1.2.5.1). */
export function timeMs({ tag, contents }: DerValue): number {
  const text = contents.toString('latin1');
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!match || (match[1]?.length === 2) !== (tag === derTag.utcTime)) return Number.NaN;
  const [, year = '', month, day, hour, minute, second] = match;
  const fullYear = year.length === 4 ? year : `${Number(year) < 50 ? '20' : '19'}${year}`;
  return Date.parse(`${fullYear}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The bits of a BIT STRING, without the leading count of unused ones. @throws {DerError} */
export function bitsOf({ tag, contents }: DerValue): Buffer {
  if (tag !== derTag.bitString || contents.length === 0) throw new DerError('expected a bit string');
  return contents.subarray(1);
}

/** A BOOLEAN that may be left out, which is false. */
export function isTrue(value: DerValue | undefined): boolean {
  return (value?.contents[0] ?? 0) !== 0;
}

/** A small number, or undefined if it has more than four bytes. */
export function smallInteger({ contents }: DerValue): number | undefined {
  return contents.length === 0 || contents.length > 4 ? undefined : contents.readIntBE(0, contents.length);
}
