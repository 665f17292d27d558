import { readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { writeArchive, type BackupAbout, type BackupPart } from './archive.ts';
import { configurationFolder, databaseFile, smallFiles } from './backup-files.ts';

/** In characters of up to three bytes each; a tar header holds 100 bytes of a name. */
const maxNameLength = 24;

interface BackupPorts {
  /** The server's data folder. */
  readonly folder: string;
  /** Writes a consistent copy of the store to a new file. */
  copyStore(file: string): Promise<void>;
  /** Files elsewhere that the server was started with: its configuration, its certificate and key. */
  readonly configuration: readonly string[];
  about(): BackupAbout;
}

/** Makes backups of a running server, one at a time: each needs room for a copy of the store in the data folder. */
export class BackupMaker {
  readonly #ports: BackupPorts;
  #isBusy = false;

  constructor(ports: BackupPorts) {
    this.#ports = ports;
  }

  /** The bytes of a backup. Resolves once the store was copied. @throws {AppError} unavailable */
  async make(): Promise<ReadableStream<Uint8Array>> {
    if (this.#isBusy) throw new AppError('unavailable', 'another backup is being made: wait for it');
    this.#isBusy = true;
    try {
      return streamOf(this.#archive(await this.#copyOfStore()));
    } catch (error) {
      this.#isBusy = false;
      throw error;
    }
  }

  async *#archive(store: BackupPart & AsyncDisposable): AsyncGenerator<Uint8Array> {
    try {
      await using _ = store;
      yield* writeArchive(this.#ports.about(), [...this.#smallParts(), store]);
    } finally {
      this.#isBusy = false;
    }
  }

  async #copyOfStore(): Promise<BackupPart & AsyncDisposable> {
    const file = join(this.#ports.folder, 'backup-in-progress.db');
    rmSync(file, { force: true });
    await this.#ports.copyStore(file);
    const handle = await open(file);
    // Its name is not needed any more: whatever happens, the copy goes with the handle.
    rmSync(file);
    const { size } = await handle.stat();
    const content = handle.createReadStream({ start: 0, end: size - 1, autoClose: false });
    return { name: databaseFile, size, content, [Symbol.asyncDispose]: () => handle.close() };
  }

  #smallParts(): readonly BackupPart[] {
    const { folder, configuration } = this.#ports;
    const own = smallFiles.flatMap((name) => partOf(name, join(folder, name)));
    const names = configurationNames(configuration);
    const given = configuration.flatMap((file, index) => partOf(names[index] ?? '', file));
    return [...own, ...given];
  }
}

/** Where the files of a configuration are in a backup: each by its own name, with a number before it where several have one. */
function configurationNames(files: readonly string[]): readonly string[] {
  const names = new Set<string>();
  for (const file of files) {
    const name = basename(file).replace(/^\.+/, '').slice(-maxNameLength);
    const numbered = (number: number): string => `${configurationFolder}/${number === 1 ? '' : `${number}-`}${name}`;
    let number = 1;
    while (names.has(numbered(number))) number++;
    names.add(numbered(number));
  }
  return [...names];
}

/** None if there is no such file: not every server has a certificate or an agent of its own. */
function partOf(name: string, file: string): readonly BackupPart[] {
  try {
    const content = readFileSync(file);
    return [{ name, size: content.length, content: [content] }];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new AppError('unavailable', `${file} cannot be read: ${message}`, { cause: error });
  }
}

/** Begins at once, so that a stream that nobody reads frees what it holds when it is cancelled. */
function streamOf(bytes: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  const feed = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const next = await bytes.next();
    if (next.done === true) controller.close();
    else controller.enqueue(next.value);
  };
  return new ReadableStream({ start: feed, pull: feed, cancel: async () => void (await bytes.return(undefined)) });
}
