import { existsSync, globSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { DashboardFile, DashboardFiles } from '../../server/routes/dashboard.ts';
import { installationFolder } from '../installation.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** The dashboard as the build left it; of a checkout that was never built, a page that says how. */
export function dashboardFiles(): DashboardFiles {
  const folder = join(installationFolder, 'dist', 'web');
  if (!existsSync(join(folder, 'index.html'))) return new Map([['/index.html', notBuilt]]);
  const names = globSync('**/*', { cwd: folder }).filter((name) => types[extname(name)] !== undefined);
  return new Map(names.map((name) => [`/${name}`, fileAt(join(folder, name))]));
}

const notBuilt: DashboardFile = {
  type: 'text/html; charset=utf-8',
  bytes: new TextEncoder().encode(
    '<!doctype html><title>Watchkeeper</title><p>The dashboard of this checkout is not built yet: <code>npm run build</code>, and start the server again.',
  ),
  brotli: undefined,
};

/** The build has compressed it: doing that at each start would cost every start 150 ms of CPU. */
function fileAt(path: string): DashboardFile {
  const compressed = `${path}.br`;
  return {
    type: types[extname(path)] ?? 'application/octet-stream',
    bytes: new Uint8Array(readFileSync(path)),
    brotli: existsSync(compressed) ? new Uint8Array(readFileSync(compressed)) : undefined,
  };
}
