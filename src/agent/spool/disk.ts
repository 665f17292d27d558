import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDiskError, unfinished } from '../on-disk.ts';

/** The spool's folder. Calls are synchronous because only the spool's own thread makes them; errors carry the system's code. */
export interface Disk {
  list(): readonly FileEntry[];
  /** The bytes from `start`, at most `length` of them. */
  read(name: string, start: number, length: number): Buffer;
  /** A new, empty file; one of that name is emptied. */
  create(name: string): DiskFile;
  /** A file that exists, to be written in place. */
  open(name: string): DiskFile;
  rename(from: string, to: string): void;
  remove(name: string): void;
  /** Makes what was created, renamed and removed survive a power cut. */
  sync(): void;
  space(): DiskSpace;
}

export interface DiskSpace {
  /** Bytes that this process may still write. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface FileEntry {
  readonly name: string;
  readonly bytes: number;
}

export interface DiskFile {
  write(bytes: Uint8Array, position: number): void;
  /** Makes what was written survive a power cut. */
  sync(): void;
  close(): void;
}

/** The disk, or this user's share of it, has no room. */
export function isFull({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Replaces a file atomically and synced: a crash leaves the old or the new one. */
export function replaceInSpool(disk: Disk, name: string, bytes: Uint8Array): void {
  const file = disk.create(name + unfinished);
  try {
    file.write(bytes, 0);
    file.sync();
  } finally {
    file.close();
  }
  disk.rename(name + unfinished, name);
  disk.sync();
}

/** Returns false if the disk refuses; for work that the next start repeats. */
export function attempt(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (isDiskError(error)) return false;
    throw error;
  }
}

export function folderDisk(folder: string): Disk {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const at = (name: string): string => join(folder, name);
  return {
    list: () =>
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => ({ name, bytes: statSync(at(name)).size })),
    read: (name, start, length) => readFrom(at(name), start, length),
    create: (name) => diskFile(openSync(at(name), 'w', 0o600)),
    open: (name) => diskFile(openSync(at(name), 'r+')),
    rename: (from, to) => renameSync(at(from), at(to)),
    remove: (name) => rmSync(at(name)),
    sync: () => withFile(folder, fsyncSync),
    space: () => spaceOf(folder),
  };
}

function spaceOf(folder: string): DiskSpace {
  const { bsize, bavail, blocks } = statfsSync(folder);
  return { freeBytes: bsize * bavail, totalBytes: bsize * blocks };
}

function readFrom(path: string, start: number, length: number): Buffer {
  return withFile(path, (descriptor) => {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const read = readSync(descriptor, bytes, filled, length - filled, start + filled);
      if (read === 0) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  });
}

function withFile<T>(path: string, use: (descriptor: number) => T): T {
  const descriptor = openSync(path, 'r');
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function diskFile(descriptor: number): DiskFile {
  return {
    write(bytes, position) {
      // A nearly full disk accepts a part and reports the error only at the next call.
      for (let written = 0; written < bytes.length;) {
        written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
      }
    },
    sync: () => fdatasyncSync(descriptor),
    close: () => closeSync(descriptor),
  };
}
