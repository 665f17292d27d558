import { createReadStream, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { configurationFolder } from '../../server/backup/backup-files.ts';
import { restoreBackup } from '../../server/backup/restore-backup.ts';
import { DataFolder } from '../../server/host/data-folder.ts';
import { assertUsable } from '../../server/store/sqlite/database.ts';
import { takeFolder } from '../data-folders.ts';
import { passphraseFrom } from './passphrase.ts';

interface RestoreFlags {
  readonly data: string;
  readonly passphraseFile?: string;
}

/** Makes a folder that of the server that was backed up; `-` is the standard input. @throws {AppError} */
export async function restore(file: string, { data, passphraseFile }: RestoreFlags): Promise<void> {
  const passphrase = passphraseFrom(passphraseFile);
  using taken = takeFolder(resolve(data), { mode: 0o700, user: 'server' });
  const folder = taken.path;
  const { madeAt, version } = await restoreBackup(bytesOf(file), { folder, passphrase, check }).catch(
    (error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'usage') throw error;
      throw new AppError('usage', `${file === '-' ? 'the standard input' : file}: ${error.message}`, { cause: error });
    },
  );
  process.stdout.write(`${folder} is the server as it was on ${madeAt} (version ${version}).\n`);
  const configuration = join(folder, configurationFolder);
  const withConfiguration = existsSync(configuration) ? ` The configuration it ran with is in ${configuration}.` : '';
  process.stdout.write(`Start it with 'watchkeeper serve --data ${folder}'.${withConfiguration}\n`);
}

async function check(folder: string): Promise<void> {
  const staged = new DataFolder(folder);
  assertUsable(staged.database);
  staged.identity();
  staged.apiToken();
}

/** @throws {AppError} usage, when it cannot be read */
async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* (file === '-' ? process.stdin : createReadStream(file)) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new AppError('usage', `it cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
