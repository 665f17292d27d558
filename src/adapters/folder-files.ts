import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SmallFiles } from '../core/small-files.ts';
import { replaceFile, replaceFileSoon } from '../sys/atomic-file.ts';

/** The files of a folder on this machine. */
export function folderFiles(path: string): SmallFiles {
  let last = Promise.resolve();
  return {
    path,
    read: (name) => readIfThere(join(path, name)),
    replace: (name, content, options) => replaceFile(join(path, name), content, options),
    replaceSoon(name, content) {
      const replace = (): Promise<void> => replaceFileSoon(join(path, name), content);
      last = last.then(replace, replace);
      return last;
    },
    remove: (name) => rmSync(join(path, name), { force: true }),
  };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
