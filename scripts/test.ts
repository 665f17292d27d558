// Every test, on this machine: installs the Debian packages the tests need where it may, says what it must skip where it may not.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const policyFile = '/usr/sbin/policy-rc.d';

installPeers();
const files =
  process.argv.length > 2 ? process.argv.slice(2) : globSync(['src/**/*.test.ts', 'test/**/*.test.ts']).toSorted();
runTests(files);

/** Shows what node prints as it comes; where nothing may be skipped, a skipped test is a failure. */
function runTests(files: readonly string[]): void {
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-concurrency=2',
    '--test-timeout=300000',
    ...files,
  ];
  const env = process.stdout.isTTY ? { ...process.env, FORCE_COLOR: '1' } : process.env;
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let tail = '';
  child.stdout.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk);
    tail = (tail + chunk.toString()).slice(-4000);
  });
  child.once('close', (code) => {
    const skipped = Number(/skipped (\d+)/.exec(tail)?.[1] ?? 0);
    const mustNotSkip = process.env['WATCHKEEPER_NO_SKIP'] !== undefined && skipped > 0;
    if (mustNotSkip) console.error(`${skipped} tests were skipped, and here none may be.`);
    process.exitCode = mustNotSkip ? 1 : (code ?? 1);
  });
}

function installPeers(): void {
  const wanted = packageNames();
  const absent = wanted.filter(
    (name) => !existsSync(`/var/lib/dpkg/info/${name}.list`) && !existsSync(`/var/lib/dpkg/info/${name}:amd64.list`),
  );
  if (absent.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    return console.error(
      `Not root on Debian, so these packages are not installed, and tests that need them are skipped: ${absent.join(' ')}`,
    );
  }
  console.error(`Installing for the tests: ${absent.join(' ')}`);
  withoutStartingServices(() => {
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', ...absent);
  });
}

function packageNames(): string[] {
  const lines = readFileSync(new URL('../test/debian-packages.txt', import.meta.url), 'utf8').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

function apt(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('apt-get', args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) console.error(`apt-get ${args[0]} failed; tests that need what is missing are skipped.\n${stderr}`);
}

/** The tests start their own daemons, so a package that is installed for them must start none. */
function withoutStartingServices(install: () => void): void {
  if (existsSync(policyFile)) return install();
  writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    rmSync(policyFile);
  }
}
