import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import type { ByteSource } from './byte-source.ts';
import { readTarEnd, readTarHeader, skipTarPadding, tarEnd, tarHeader, tarPadding, type TarEntry } from './tar.ts';

/**
 * A backup is a tar archive: first what it is, then the files, last their hashes as `sha256sum` writes them, so that a backup
 * that is not encrypted can be looked at, and checked, with the tools of any machine.
 */
const format = 1;
const aboutFile = 'watchkeeper-backup.json';
const sumsFile = 'SHA256SUMS';
const maxTextBytes = 1024 * 1024;
const maxParts = 1000;
const sqliteMagic = 'SQLite format 3\0';
const storeOnly =
  'it is a copy of the store alone, as version 0.1.0 made them: name it watchkeeper.db in a data folder that has the other files';

/** What a backup says of itself. */
export interface BackupAbout {
  /** Of the program that made it. */
  readonly version: string;
  readonly serverId: string;
  /** ISO 8601. */
  readonly madeAt: string;
}

export interface BackupPart extends TarEntry {
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const aboutSchema = z.object({
  format: z.literal(format),
  version: z.string().max(100),
  serverId: z.uuid(),
  madeAt: z.iso.datetime(),
});

export async function* writeArchive(about: BackupAbout, parts: Iterable<BackupPart>): AsyncGenerator<Uint8Array> {
  const at = Date.parse(about.madeAt);
  const sums: string[] = [];
  const first = textPart(aboutFile, `${JSON.stringify({ format, ...about }, null, 2)}\n`);
  for (const part of [first, ...parts]) {
    const hash = createHash('sha256');
    yield tarHeader(part, at);
    for await (const piece of part.content) {
      hash.update(piece);
      yield piece;
    }
    yield tarPadding(part.size);
    sums.push(sumLine(hash.digest('hex'), part.name));
  }
  const last = textPart(sumsFile, sums.join(''));
  yield tarHeader(last, at);
  yield* last.content;
  yield tarPadding(last.size);
  yield tarEnd;
}

/**
 * Hands each file on, in order, and then what the backup says of itself; all of it is whole only once this resolves.
 * @throws {AppError} usage, when it is no backup, was changed or cut short, or was made by a newer version
 */
export async function readArchive(
  source: ByteSource,
  take: (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<BackupAbout> {
  try {
    return await new ArchiveReader(source).read(take);
  } catch (error) {
    throw error instanceof RangeError ? new AppError('usage', error.message, { cause: error }) : error;
  }
}

class ArchiveReader {
  readonly #source: ByteSource;
  readonly #names = new Set<string>();
  #sums = '';

  constructor(source: ByteSource) {
    this.#source = source;
  }

  async read(take: (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>): Promise<BackupAbout> {
    const about = await this.#about();
    for (;;) {
      const entry = await this.#header();
      if (entry === undefined) throw new RangeError('its checksums are missing');
      if (entry.name === sumsFile) {
        await this.#checkSums(entry);
        return about;
      }
      await take(entry.name, this.#content(entry));
      await skipTarPadding(this.#source, entry.size);
    }
  }

  async #about(): Promise<BackupAbout> {
    const beginning = (await this.#source.peek(sqliteMagic.length)).toString('latin1');
    if (beginning === sqliteMagic) throw new RangeError(storeOnly);
    // Whatever else it is, its first bytes say nothing to a person.
    const first = await this.#header().catch(() => undefined);
    if (first?.name !== aboutFile) throw new RangeError('it is no backup of Watchkeeper');
    return aboutIn(await this.#text(first));
  }

  async #header(): Promise<TarEntry | undefined> {
    const entry = await readTarHeader(this.#source);
    if (entry === undefined) return undefined;
    if (this.#names.has(entry.name)) throw new RangeError(`it holds ${printable(entry.name)} twice`);
    this.#names.add(entry.name);
    if (this.#names.size > maxParts) throw new RangeError(`it holds more than ${maxParts} files`);
    return entry;
  }

  async *#content({ name, size }: TarEntry): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let left = size;
    for await (const piece of this.#source.take(size)) {
      hash.update(piece);
      left -= piece.length;
      yield piece;
    }
    if (left > 0) throw new RangeError('it is cut short');
    this.#sums += sumLine(hash.digest('hex'), name);
  }

  async #text(entry: TarEntry): Promise<string> {
    if (entry.size > maxTextBytes) throw new RangeError(`${entry.name} is too large`);
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#content(entry)) pieces.push(piece);
    await skipTarPadding(this.#source, entry.size);
    return Buffer.concat(pieces).toString('utf8');
  }

  async #checkSums(entry: TarEntry): Promise<void> {
    const computed = this.#sums;
    if ((await this.#text(entry)) !== computed) throw new RangeError('it was changed: its checksums do not fit');
    if ((await this.#header()) !== undefined) throw new RangeError('something follows its checksums');
    await readTarEnd(this.#source);
  }
}

function aboutIn(text: string): BackupAbout {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw new RangeError(`its ${aboutFile} was changed`);
  }
  const { success, data } = aboutSchema.safeParse(found);
  if (success) return data;
  const written = (found as { readonly format?: unknown } | null)?.format;
  if (typeof written === 'number' && written > format) {
    const known = `it has format ${written}, and this one knows up to ${format}`;
    throw new RangeError(`it was made by a newer Watchkeeper (${known}): restore it with that version`);
  }
  throw new RangeError(`its ${aboutFile} was changed`);
}

export function textPart(name: string, text: string): BackupPart {
  const bytes = Buffer.from(text);
  return { name, size: bytes.length, content: [bytes] };
}

/** As `sha256sum -c` reads it. */
function sumLine(hash: string, name: string): string {
  return `${hash}  ${name}\n`;
}
