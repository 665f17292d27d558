import type { ByteSource } from './byte-source.ts';

/**
 * Archives of regular files as POSIX.1 describes them (`pax`, "ustar Interchange Format"), so that any `tar` lists and unpacks
 * them. Sizes from 8 GiB on are written in binary, as GNU tar and star do.
 */
const blockBytes = 512;
const maxOctalSize = 0o77777777777;
const maxNameBytes = 100;

/** Offset and length of each field that is used here. */
const fields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
} as const satisfies Record<string, readonly [number, number]>;
type Field = keyof typeof fields;

export interface TarEntry {
  /** At most 100 bytes. */
  readonly name: string;
  readonly size: number;
}

/** Two empty blocks. */
export const tarEnd: Uint8Array = Buffer.alloc(2 * blockBytes);

/** The block before a file's bytes. `at` is its time, epoch milliseconds. */
export function tarHeader({ name, size }: TarEntry, at: number): Buffer {
  if (Buffer.byteLength(name) > maxNameBytes)
    throw new RangeError(`Expected at most ${maxNameBytes} bytes, got ${name}.`);
  const header = Buffer.alloc(blockBytes);
  const put = (field: Field, text: string): void => void header.write(text, fields[field][0], 'utf8');
  put('name', name);
  put('mode', octal(0o600, 'mode'));
  put('uid', octal(0, 'uid'));
  put('gid', octal(0, 'gid'));
  if (size <= maxOctalSize) put('size', octal(size, 'size'));
  else writeBinarySize(header, size);
  put('mtime', octal(Math.floor(at / 1000), 'mtime'));
  put('type', '0');
  put('magic', 'ustar\u{0}00');
  put('checksum', `${checksumOf(header).toString(8).padStart(6, '0')}\0 `);
  return header;
}

/** What fills the last block of a file of this size. */
export function tarPadding(size: number): Uint8Array {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes);
}

/** The next header; undefined at the end of the archive. @throws {RangeError} for bytes that `tarHeader` did not write */
export async function readTarHeader(source: ByteSource): Promise<TarEntry | undefined> {
  const header = await source.read(blockBytes);
  if (header.length < blockBytes) throw new RangeError('it is cut short');
  if (isZero(header)) return undefined;
  const entry = { name: textIn(header, 'name'), size: sizeIn(header) };
  if (header.equals(tarHeader(entry, 1000 * numberIn(header, 'mtime')))) return entry;
  throw new RangeError('it was changed: there is no file where one should begin');
}

/** Reads what follows the last file. @throws {RangeError} if it is not the end of an archive, and of the bytes */
export async function readTarEnd(source: ByteSource): Promise<void> {
  // The first of the two empty blocks was the header that is none.
  const end = await source.read(blockBytes + 1);
  if (end.length < blockBytes) throw new RangeError('it is cut short');
  if (end.length > blockBytes || !isZero(end)) throw new RangeError('something follows its end');
}

export async function skipTarPadding(source: ByteSource, size: number): Promise<void> {
  const padding = await source.read(tarPadding(size).length);
  if (!isZero(padding)) throw new RangeError('there is something between its files');
}

function octal(value: number, field: Field): string {
  return `${value.toString(8).padStart(fields[field][1] - 1, '0')}\0`;
}

function writeBinarySize(header: Buffer, size: number): void {
  const [offset, length] = fields.size;
  header.writeUInt8(0x80, offset);
  header.writeBigUInt64BE(BigInt(size), offset + length - 8);
}

function sizeIn(header: Buffer): number {
  const [offset, length] = fields.size;
  const isBinary = header.readUInt8(offset) === 0x80;
  return isBinary ? Number(header.readBigUInt64BE(offset + length - 8)) : numberIn(header, 'size');
}

/** 0 where there is none. */
function numberIn(header: Buffer, field: Field): number {
  const found = /^[0-7]+/.exec(textIn(header, field));
  return found ? Number.parseInt(found[0], 8) : 0;
}

/** The sum of all bytes, with the field itself taken as spaces. */
function checksumOf(header: Buffer): number {
  const [offset, length] = fields.checksum;
  const own = header.subarray(offset, offset + length);
  return sumOf(header) - sumOf(own) + length * 0x20;
}

function sumOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + byte, 0);
}

function textIn(header: Buffer, field: Field): string {
  const [offset, length] = fields[field];
  return header.toString('utf8', offset, offset + length).replace(/\0.*$/s, '');
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
