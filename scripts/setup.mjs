// Makes a fresh checkout ready, on whatever Node started it: installs the packages of the lockfile if they are not there.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

if (!isInstalled()) {
  console.error('Installing packages (once) …');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    console.error(`npm ci failed (exit ${status}); nothing else was changed. Is the npm registry reachable?`);
    process.exit(1);
  }
}

function isInstalled() {
  const installed = `${root}/node_modules/.package-lock.json`;
  if (!existsSync(installed) || !existsSync(`${root}/node_modules/.bin/node`)) return false;
  return statSync(installed).mtimeMs >= statSync(`${root}/package-lock.json`).mtimeMs;
}
