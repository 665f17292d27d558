import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unfinished } from '../on-disk.ts';

export interface EvidenceFile {
  readonly name: string;
  readonly bytes: number;
  /** When it was last written, epoch milliseconds. */
  readonly changedAt: number;
}

/** The folder of one chain. Calls do not block; errors carry the system's code. */
export interface EvidenceDisk {
  /** All finished files; none if the folder is absent. */
  list(): Promise<readonly EvidenceFile[]>;
  read(name: string): Promise<Buffer>;
  /** Writes at a position of the file, creating it if absent. Synced bytes survive a power cut, and so does the file's name. */
  write(name: string, bytes: Uint8Array, options: WriteOptions): Promise<void>;
  /** Replaces the file atomically and synced: a crash leaves the old or the new one. */
  replace(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface WriteOptions {
  readonly position: number;
  readonly isSynced: boolean;
}

/** A real folder, created at the first write with mode 0700. */
export class EvidenceFolder implements EvidenceDisk {
  readonly #path: string;
  /** Files whose names have been synced. */
  readonly #durableNames = new Set<string>();

  constructor(path: string) {
    this.#path = path;
  }

  async list(): Promise<readonly EvidenceFile[]> {
    const names = await readdir(this.#path).catch(noneIfAbsent);
    const finished = names.filter((name) => !name.endsWith(unfinished));
    const files = await Promise.all(finished.map(async (name) => ({ name, found: await stat(this.#at(name)) })));
    return files
      .filter(({ found }) => found.isFile())
      .map(({ name, found }) => ({ name, bytes: found.size, changedAt: found.mtimeMs }));
  }

  read(name: string): Promise<Buffer> {
    return readFile(this.#at(name));
  }

  async write(name: string, bytes: Uint8Array, { position, isSynced }: WriteOptions): Promise<void> {
    const { O_CREAT, O_WRONLY } = constants;
    await this.#withFile(name, O_CREAT | O_WRONLY, async (handle) => {
      await writeAll(handle, bytes, position);
      if (isSynced) await handle.datasync();
    });
    if (isSynced && !this.#durableNames.has(name)) await this.#syncNames(name);
  }

  async replace(name: string, bytes: Uint8Array): Promise<void> {
    const { O_CREAT, O_WRONLY, O_TRUNC } = constants;
    await this.#withFile(name + unfinished, O_CREAT | O_WRONLY | O_TRUNC, async (handle) => {
      await writeAll(handle, bytes, 0);
      await handle.sync();
    });
    await rename(this.#at(name + unfinished), this.#at(name));
    await this.#syncNames(name);
  }

  async remove(name: string): Promise<void> {
    await rm(this.#at(name));
    this.#durableNames.delete(name);
  }

  #at(name: string): string {
    return join(this.#path, name);
  }

  async #withFile(name: string, flags: number, use: (handle: FileHandle) => Promise<void>): Promise<void> {
    const handle = await open(this.#at(name), flags, 0o600).catch(async (error: unknown) => {
      if (!isAbsent(error)) throw error;
      await makeFolder(this.#path);
      return await open(this.#at(name), flags, 0o600);
    });
    try {
      await use(handle);
    } finally {
      await handle.close();
    }
  }

  async #syncNames(written: string): Promise<void> {
    await syncFolder(this.#path);
    this.#durableNames.add(written);
  }
}

/** Creates the folder with its parents, each synced, before anything is promised. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Makes creations and renames in the folder durable. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A nearly full disk accepts a part and reports the error only at the next call. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function noneIfAbsent(error: unknown): string[] {
  if (isAbsent(error)) return [];
  throw error;
}
