import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Packs a folder as a memory disk. The kernel unpacks several that stand one behind the other in a file. */
export async function packInitrd(folder: string, file: string): Promise<void> {
  await run('sh', ['-c', 'find . | cpio -o -H newc -R 0:0 --quiet > "$0"', file], { cwd: folder });
}
