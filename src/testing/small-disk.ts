import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { removeFolder } from './remove-folder.ts';

/** A file system of its own, of 32 MiB. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
}

/** Undefined where none can be made: that needs root and loop devices. */
export async function mountSmallDisk(): Promise<SmallDisk | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-disk-'));
  const [image, path] = [join(folder, 'image'), join(folder, 'disk')];
  writeFileSync(image, '');
  truncateSync(image, 32 * 2 ** 20);
  await mkdir(path);
  let isMounted =
    spawnSync('mkfs.ext4', ['-q', '-m', '0', image]).status === 0 &&
    spawnSync('mount', ['-o', 'loop', image, path]).status === 0;
  const dispose = async (): Promise<void> => {
    // What still uses it ends a moment later.
    if (isMounted) await eventually('the disk is unmounted', () => spawnSync('umount', [path]).status === 0);
    // Whoever unmounts it early disposes of it again.
    isMounted = false;
    await removeFolder(folder);
  };
  if (isMounted) return { path, [Symbol.asyncDispose]: dispose };
  await dispose();
  return undefined;
}

/** Takes all that is left, to the last block. */
export function fillDisk(file: string): void {
  const { stderr } = spawnSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=4096', 'conv=fsync'], { encoding: 'utf8' });
  assert.match(stderr, /No space left/);
}
