import { createReadStream, createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../core/errors.ts';
import { encrypt } from '../../server/backup/encryption.ts';
import { readBackup } from '../../server/backup/restore-backup.ts';
import { syncFolder } from '../../sys/atomic-file.ts';
import { passphraseFrom } from './passphrase.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

/** A copy of a large store takes a while, and the server says nothing meanwhile. */
const silenceMs = 3_600_000;

interface BackupFlags extends Pick<ServerPlace, 'data'> {
  readonly passphraseFile?: string;
}

/** Writes a backup of the running server and reads it back; the file has its name only once it is whole. `-` is the standard output. */
export async function backup(file: string, { passphraseFile, ...place }: BackupFlags): Promise<void> {
  const passphrase = passphraseFrom(passphraseFile);
  const plain = new ServerClient(lineTo(place)).download('/store/backup', silenceMs);
  const bytes = passphrase === undefined ? plain : encrypt(plain, passphrase);
  if (file === '-') return await pipeline(bytes, process.stdout, { end: false });
  const target = resolve(file);
  if (existsSync(target))
    throw new AppError('usage', `expected a new file for the backup, and ${target} is there already`);
  await writeWhole(target, bytes, passphrase);
  const kept =
    passphrase === undefined
      ? 'It holds the keys of the server: keep it where nobody else can read it'
      : 'It is encrypted';
  process.stdout.write(`The server was backed up to ${target}. ${kept}; 'watchkeeper restore' reads it.\n`);
}

async function writeWhole(
  target: string,
  bytes: AsyncIterable<Uint8Array>,
  passphrase: string | undefined,
): Promise<void> {
  const partial = `${target}.partial`;
  try {
    rmSync(partial, { force: true });
    await pipeline(bytes, createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true }));
    await readBackup(createReadStream(partial), { passphrase, take: discard });
    renameSync(partial, target);
    syncFolder(dirname(target));
  } catch (error) {
    rmSync(partial, { force: true });
    if (error instanceof AppError && error.code !== 'usage') throw error;
    throw new AppError('unavailable', `there is no backup: ${target}: ${(error as Error).message}`, { cause: error });
  }
}

async function discard(_name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of content);
}
