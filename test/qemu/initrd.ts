import { run } from './run.ts';

/** Packs a folder as a memory disk. The kernel unpacks several that stand one behind the other in a file. */
export async function packInitrd(folder: string, file: string): Promise<void> {
  await run('sh', ['-c', 'find . | cpio -o -H newc -R 0:0 --quiet > "$0"', file], folder);
}
