import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FakeClock } from '../../testing/fake-clock.ts';
import { WatchedFile } from './watched-file.ts';

test('a file is read again when it has changed, and counts as empty when it is gone', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'watchkeeper-'));
  const path = `${folder.path}/hosts`;
  const clock = new FakeClock();
  const file = new WatchedFile({ path, clock, parse: (text) => text });
  assert.equal(file.read(), '');
  await writeFile(path, 'one');
  assert.equal(file.read(), '', 'within a second it is not looked at');
  await clock.advance(1000);
  assert.equal(file.read(), 'one');
  await rm(path);
  await clock.advance(1000);
  assert.equal(file.read(), '');
});

test('CA2: a process that can open no more files keeps what it read, and is itself to blame for what it never read', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'watchkeeper-'));
  await writeFile(`${folder.path}/known`, 'one');
  await writeFile(`${folder.path}/new`, 'one');
  const script = `
    import { openSync, writeFileSync } from 'node:fs';
    import { WatchedFile } from ${JSON.stringify(import.meta.resolve('./watched-file.ts'))};
    import { FakeClock } from ${JSON.stringify(import.meta.resolve('../../testing/fake-clock.ts'))};
    const clock = new FakeClock();
    const fileOf = (name) => new WatchedFile({ path: ${JSON.stringify(folder.path)} + '/' + name, clock, parse: (text) => text });
    const known = fileOf('known');
    known.read();
    writeFileSync(${JSON.stringify(folder.path)} + '/known', 'changed');
    await clock.advance(1000);
    try { for (;;) openSync('/dev/null'); } catch {}
    const told = [known.read()];
    try { fileOf('new').read(); } catch (error) { told.push(error.reason, error.source); }
    process.stdout.write(told.join(' '));
  `;
  const command =
    'ulimit -n 100; exec "$0" --disable-warning=ExperimentalWarning --input-type=module-typescript --eval "$1"';
  const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, script]);
  assert.equal(stdout, 'one exhausted agent');
});
