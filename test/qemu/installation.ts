import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../..');

/** The npm package that holds Node itself: too big for a memory disk. */
export const nodePackage = join(repository, 'node_modules', 'node');

/** Copies what a machine needs to run Watchkeeper, and warms it up. Node is not with it; its place is made. */
export function copyInstallation(target: string): void {
  for (const name of ['bin', 'deploy', 'package.json', 'src', 'test/qemu/guest', ...runtimePackages()]) {
    cpSync(join(repository, name), join(target, name), { recursive: true, filter: isNeeded });
  }
  mkdirSync(join(target, 'node_modules', 'node'));
  cpSync(join(repository, 'node_modules/.bin/node'), join(target, 'node_modules/.bin/node'), {
    verbatimSymlinks: true,
  });
  warmUp(target);
}

/** The environment in which an installation finds what was compiled when it was warmed up. */
export function warmEnvironment(installation: string): Readonly<Record<string, string>> {
  return { NODE_COMPILE_CACHE: compiledIn(installation), NODE_COMPILE_CACHE_PORTABLE: '1' };
}

function compiledIn(installation: string): string {
  return join(installation, 'compiled');
}

/** An emulated processor takes most of a minute to compile what this one compiles in half a second. */
function warmUp(installation: string): void {
  const node = join(nodePackage, 'bin', 'node');
  const nobody = join(installation, 'nobody');
  const main = join(installation, 'src/main.ts');
  // An agent that has joined no server says so, and ends.
  spawnSync(node, ['--disable-warning=ExperimentalWarning', main, 'agent', '--data', nobody], {
    env: { ...process.env, ...warmEnvironment(installation) },
  });
  rmSync(nobody, { recursive: true, force: true });
  // Node keeps it to the user who compiled; the agent is another.
  spawnSync('chmod', ['-R', 'a+rX', compiledIn(installation)]);
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The packages that the sources import, and those that these need. */
function runtimePackages(): readonly string[] {
  // Our own file, as npm writes it.
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const found = new Set<string>();
  const add = (name: string): void => {
    const place = `node_modules/${name}`;
    const known = packages[place];
    if (!known || found.has(place)) return;
    found.add(place);
    for (const needed of Object.keys(known.dependencies ?? {})) add(needed);
  };
  for (const file of globSync('src/**/*.ts', { cwd: repository }).filter((file) => isNeeded(file)))
    for (const [, name = ''] of readFileSync(join(repository, file), 'utf8').matchAll(importedPackage)) add(name);
  return [...found];
}

/** `zod`, `@hono/node-server` */
const importedPackage = /(?:from |import\()'((?:@[\w-]+\/)?[\w-]+)(?=['/])/g;

function isNeeded(path: string): boolean {
  return !/\.(?:test\.ts|d\.[cm]?ts|map|md)$/.test(path);
}
