import { existsSync, globSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
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
  if (!existsSync(join(folder, 'index.html')))
    return new Map([['/index.html', fileOf('.html', Buffer.from(notBuilt))]]);
  const names = globSync('**/*', { cwd: folder }).filter((name) => types[extname(name)] !== undefined);
  return new Map(names.map((name) => [`/${name}`, fileOf(extname(name), readFileSync(join(folder, name)))]));
}

const notBuilt =
  '<!doctype html><title>Watchkeeper</title><p>The dashboard of this checkout is not built yet: <code>npm run build</code>, and start the server again.';

function fileOf(extension: string, content: Buffer): DashboardFile {
  return {
    type: types[extension] ?? 'application/octet-stream',
    bytes: new Uint8Array(content),
    brotli: new Uint8Array(brotliCompressSync(content)),
  };
}
