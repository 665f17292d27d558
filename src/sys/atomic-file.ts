import { closeSync, constants, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

interface ReplaceOptions {
  /** Exactly this, whatever the umask is. */
  readonly mode?: 0o600 | 0o644;
  /** Whether the new content must survive a power cut once this returns. */
  readonly isDurable?: boolean;
}

/**
 * Puts a file in its place in one step: whatever happens, the old content or the new is there, and whole. Never writes through
 * a link that somebody has put there. Throws what the system says; then the old file stays.
 */
export function replaceFile(path: string, content: string | Uint8Array, options: ReplaceOptions = {}): void {
  const { mode = 0o600, isDurable = true } = options;
  const unfinished = `${path}.new`;
  rmSync(unfinished, { force: true });
  try {
    writeNew(unfinished, Buffer.from(content as string), { mode, isDurable });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
  if (isDurable) syncFolder(dirname(path));
}

/** The same for a large file that only this user may read, off this thread. Not to be called again for a path before it has resolved. */
export async function replaceFileSoon(path: string, content: string): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const unfinished = `${path}.soon`;
  await rm(unfinished, { force: true });
  try {
    await using file = await open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    await file.writeFile(content);
    await file.sync();
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await using folder = await open(dirname(path), 'r');
  await folder.sync();
}

/** A rename or a new name survives a power cut once its folder was synced. */
export function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeNew(path: string, bytes: Buffer, { mode, isDurable }: Required<ReplaceOptions>): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    if (mode !== 0o600) fchmodSync(descriptor, mode);
    // A nearly full disk takes a part and says so only at the next call.
    for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
    if (isDurable) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
