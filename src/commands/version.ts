import { readFileSync } from 'node:fs';

/** Of this checkout. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  // The package's own manifest has a version.
  return (JSON.parse(text) as { version: string }).version;
}
