import { createWriteStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { syncFolder } from '../../sys/atomic-file.ts';
import { readArchive, type BackupAbout } from './archive.ts';
import { databaseFile, identityFile, maxBytesOf } from './backup-files.ts';
import { ByteSource } from './byte-source.ts';
import { decrypt, encryptionOf } from './encryption.ts';

/** The folder of a restore that is not checked yet, and its name once it is complete and checked. */
const unfinishedFolder = 'restore.unfinished';
const completeFolder = 'restore.complete';
/** Names that an empty folder may hold: the lock of whoever restores, and what the file system puts there itself. */
const harmless = ['lock', 'lost+found', unfinishedFolder];

export interface RestoreOptions {
  /** An empty data folder, locked by the caller. */
  readonly folder: string;
  readonly passphrase: string | undefined;
  /** Looks at what was restored, in a folder of its own. Throws an AppError if no server could use it. */
  readonly check: (folder: string) => Promise<void>;
}

/**
 * Makes an empty folder the data folder of the server that was backed up. Everything is written beside it, checked and synced, and
 * then put in place in one step. If that is interrupted, the folder is empty as before, or complete once `finishRestore` ran.
 * @throws {AppError} unavailable, when the folder holds something or cannot be written; usage, when the backup is not whole
 */
export async function restoreBackup(bytes: AsyncIterable<Uint8Array>, options: RestoreOptions): Promise<BackupAbout> {
  const { folder, passphrase, check } = options;
  finishRestore(folder);
  const inTheWay = readdirSync(folder).find((name) => !harmless.includes(name));
  if (inTheWay !== undefined) {
    const next = 'choose an empty one, or move away what is in it';
    throw new AppError('unavailable', `the folder ${folder} is in use: it holds ${printable(inTheWay)}; ${next}`);
  }
  const unfinished = join(folder, unfinishedFolder);
  rmSync(unfinished, { recursive: true, force: true });
  try {
    mkdirSync(unfinished, { mode: 0o700 });
    const about = await readBackup(bytes, { passphrase, take: (name, content) => write(unfinished, name, content) });
    assertComplete(unfinished);
    await check(unfinished);
    renameSync(unfinished, join(folder, completeFolder));
    syncFolder(folder);
    finishRestore(folder);
    return about;
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw asAppError(error, folder);
  }
}

/** Moves a complete restore into its place. Does nothing if there is none; may be called again after a crash. */
export function finishRestore(folder: string): void {
  const complete = join(folder, completeFolder);
  if (!existsSync(complete)) return;
  moveAll(complete, folder);
  syncFolder(folder);
}

/** @throws {AppError} unavailable, when a restore into this folder was cut off: a server that begins there would be another one */
export function assertRestoreEnded(folder: string): void {
  const unfinished = join(folder, unfinishedFolder);
  if (!existsSync(unfinished) || existsSync(join(folder, identityFile))) return;
  const next = `run 'watchkeeper restore' again, or remove ${unfinished} to begin a new server here`;
  throw new AppError('unavailable', `a restore into ${folder} was cut off: ${next}`);
}

interface Reading {
  readonly passphrase: string | undefined;
  readonly take: (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>;
}

/** Reads all of a backup and checks that it is whole. @throws {AppError} usage */
export async function readBackup(
  bytes: AsyncIterable<Uint8Array>,
  { passphrase, take }: Reading,
): Promise<BackupAbout> {
  const source = new ByteSource(bytes);
  const isEncrypted = (await encryptionOf(source)) !== undefined;
  if (isEncrypted && passphrase === undefined)
    throw new AppError('usage', 'it is encrypted: give its passphrase with --passphrase-file');
  // Otherwise a file that somebody replaced could restore another server than was saved.
  if (!isEncrypted && passphrase !== undefined)
    throw new AppError(
      'usage',
      'it is not encrypted, and a passphrase was given: leave that out if this is the file you mean',
    );
  const plain = passphrase === undefined ? source : new ByteSource(decrypt(source, passphrase));
  return await readArchive(plain, async (name, content) => {
    const maxBytes = maxBytesOf(name);
    if (maxBytes === undefined) throw new AppError('usage', `it holds a file that no backup has: ${printable(name)}`);
    await take(name, atMost(maxBytes, name, content));
  });
}

async function* atMost(maxBytes: number, name: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of content) {
    bytes += piece.length;
    if (bytes > maxBytes) throw new AppError('usage', `its ${printable(name)} is larger than ${maxBytes} bytes`);
    yield piece;
  }
}

async function write(folder: string, name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  await pipeline(content, createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }));
  syncFolder(dirname(file));
}

function assertComplete(folder: string): void {
  for (const name of [databaseFile, identityFile])
    if (!existsSync(join(folder, name))) throw new AppError('usage', `its ${name} is missing`);
}

function moveAll(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) moveAll(source, target);
    else renameSync(source, target);
  }
  syncFolder(to);
  rmdirSync(from);
}

function asAppError(error: unknown, folder: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof AppError || code === undefined) return error;
  return new AppError('unavailable', `nothing was restored: ${folder} cannot be written: ${message}`, { cause: error });
}
