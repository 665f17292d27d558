import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';

const maxOffered = 200;

/** The files and folders that a path, typed so far, may become; a folder ends in a slash. None where there is nothing to read. */
export function completePath(typed: string): readonly string[] {
  const folder = typed.endsWith('/') ? typed : dirname(typed);
  // What was typed stays as it was typed: `./a` does not become `a`.
  const before = typed.slice(0, typed.lastIndexOf('/') + 1);
  try {
    return readdirSync(folder, { withFileTypes: true })
      .map((entry) => `${before}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .filter((path) => path.startsWith(typed))
      .toSorted()
      .slice(0, maxOffered);
  } catch {
    return [];
  }
}
