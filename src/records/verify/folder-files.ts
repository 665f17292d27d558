import { readdir } from 'node:fs/promises';
import type { Finding } from './verdict.ts';

export interface FolderFiles {
  readonly names: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** The regular files of a folder. Anything else in it is a finding and is never opened: a link leads elsewhere, a pipe never ends. */
export async function filesOf(folder: string): Promise<FolderFiles> {
  const entries = await readdir(folder, { withFileTypes: true });
  const others = entries.filter((entry) => !entry.isFile());
  return {
    names: new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name)),
    findings: others.map(({ name }) => ({ file: name, message: 'expected a file, got a link, a folder or a device' })),
  };
}
