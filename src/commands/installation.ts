import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/** The folder that this program was installed to: a checkout with its sources, or a package with bundles of them in `dist/`. */
export const installationFolder = folderOfManifest(import.meta.dirname);

/** Whether it runs from its sources. */
export const isCheckout = extname(import.meta.url) === '.ts';

/** What a person starts. */
export const launcher = join(installationFolder, 'bin', 'watchkeeper');

/** Of this installation. */
export function version(): string {
  const text = readFileSync(join(installationFolder, 'package.json'), 'utf8');
  // The package's own manifest has a version.
  return (JSON.parse(text) as { version: string }).version;
}

/** The file of a thread: it stands beside the file that starts it, and ends as that does, in the sources and in the package. */
export function threadFile(name: string, starter: string): URL {
  return new URL(`${name}${extname(starter)}`, starter);
}

function folderOfManifest(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : folderOfManifest(dirname(folder));
}
