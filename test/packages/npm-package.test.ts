import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);
/** Nothing of this checkout: Node, and what every machine has. */
const bare = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
const tenMebibytes = 10 * 1024 * 1024;

describe('AT13: the packed tarball, installed in an empty folder beside Node alone', () => {
  let folder = '';
  let installed = '';
  let env: NodeJS.ProcessEnv = {};

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'watchkeeper-package-'));
    env = { ...bare, HOME: folder };
    await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root });
    const [tarball = ''] = globSync('*.tgz', { cwd: folder });
    const quiet = ['--offline', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', '--global', '--prefix', folder, ...quiet, join(folder, tarball)]);
    installed = join(folder, 'lib', 'node_modules', 'watchkeeper');
  });
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  const watchkeeper = (...words: readonly string[]) =>
    run(join(folder, 'bin', 'watchkeeper'), words, { env, cwd: folder, timeout: 120_000 });

  test('holds what runs, and neither sources nor tests nor other packages', () => {
    const files = globSync('**/*', { cwd: installed });
    assert.deepEqual(
      files.filter((file) => /\.ts$|\.test\.|^test\/|node_modules\//.test(file)),
      [],
    );
    for (const file of ['bin/watchkeeper', 'dist/main.js', 'LICENSE', 'README.md', 'dist/THIRD-PARTY-LICENCES.txt'])
      assert.ok(files.includes(file), file);
    const bytes = files.map((file) => statSync(join(installed, file)).size).reduce((sum, size) => sum + size, 0);
    assert.ok(bytes < tenMebibytes, `${bytes} bytes`);
  });

  test('checks a port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { stdout } = await watchkeeper('check', 'tcp', `127.0.0.1:${port}`);
    server.close();
    assert.match(stdout, /^✔ up .* is open\.$/m);
  });

  test('has every check type: the completion script knows them', async () => {
    const { stdout } = await watchkeeper('completion', 'bash');
    for (const { name } of globSync('src/checks/*/', { cwd: root, withFileTypes: true }))
      if (!name.startsWith('_')) assert.ok(stdout.includes(name), name);
  });

  for (const [version, expected] of [
    ['v20.20.2', /^watchkeeper: expected Node 26\.9 or newer, found v20\.20\.2; put it on PATH$/m],
    ['v26.8.9', /found v26\.8\.9/],
    ['v9.11.0', /found v9\.11\.0/],
  ] as const) {
    test(`says what it expected where Node is ${version}`, async () => {
      const programs = join(folder, version);
      await mkdir(programs);
      await writeFile(join(programs, 'node'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
      const start = run(join(folder, 'bin', 'watchkeeper'), ['--version'], {
        env: { PATH: `${programs}:/usr/bin:/bin` },
      });
      await assert.rejects(start, ({ code, stderr }: { code: number; stderr: string }) => {
        assert.equal(code, 3);
        assert.match(stderr, expected);
        return true;
      });
    });
  }

  test('starts a server whose agent measures', async () => {
    const words = ['start', '--data', join(folder, 'data'), '--listen', '127.0.0.1:0'];
    const server = spawn(join(folder, 'bin', 'watchkeeper'), words, {
      env,
      cwd: folder,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const ended = once(server, 'close');
    let said = '';
    for await (const chunk of server.stdout.setEncoding('utf8')) {
      said += String(chunk);
      if (/^.* - this machine on local: up/m.test(said)) break;
    }
    server.kill('SIGTERM');
    await ended;
    assert.match(said, /local \(127\.0\.0\.1\): Online/);
    assert.match(said, /this machine on local: up/);
  });
});
