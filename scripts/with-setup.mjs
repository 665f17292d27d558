// Makes a fresh checkout ready, whatever Node runs this, then runs the command it was given on the Node the lockfile brings.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const programs = `${root}node_modules/.bin`;

if (!isInstalled()) install();
if (!isDashboardBuilt()) buildDashboard();
run(process.argv.slice(2));

function isInstalled() {
  const installed = `${root}node_modules/.package-lock.json`;
  if (!existsSync(installed) || !existsSync(`${programs}/node`)) return false;
  return statSync(installed).mtimeMs >= statSync(`${root}package-lock.json`).mtimeMs;
}

function install() {
  console.error('Installing packages, once …');
  const options = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', ['ci', ...options], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return warmUp();
  console.error('npm ci failed: see above. Is the npm registry reachable, and is the folder yours to write?');
  process.exit(1);
}

/** Whether it is newer than everything that it is made of. */
function isDashboardBuilt() {
  const built = `${root}dist/web/index.html`;
  if (!existsSync(built)) return false;
  const { mtimeMs } = statSync(built);
  const sources = readdirSync(`${root}web`, { recursive: true }).map((name) => `${root}web/${name}`);
  return [...sources, `${root}scripts/build-web.ts`].every((source) => statSync(source).mtimeMs <= mtimeMs);
}

function buildDashboard() {
  const { status } = spawnSync(`${programs}/node`, ['scripts/build-web.ts'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 2],
  });
  if (status !== 0) process.exit(1);
}

/** The first run of anything compiles it; done here, a person's first command takes no longer than the later ones. */
function warmUp() {
  const data = mkdtempSync(`${tmpdir()}/watchkeeper-setup-`);
  for (const words of [
    ['completion', 'bash'],
    ['check', 'tcp', '127.0.0.1:9'],
    ['check', 'https', 'https://127.0.0.1:9'],
    ['start', '--for', '3s', '--data', data, '--listen', '127.0.0.1:0'],
  ]) {
    spawnSync(`${root}bin/watchkeeper`, words, { stdio: 'ignore' });
  }
  rmSync(data, { recursive: true, force: true });
}

function run([program, ...args]) {
  const env = { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}` };
  const child = spawn(`${programs}/${program}`, args, { cwd: root, env, stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; the command says its last words, and this process waits for them.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : code));
}
