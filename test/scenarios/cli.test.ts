import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { explain } from '../../src/commands/exit-codes.ts';
import { AppError } from '../../src/core/errors.ts';
import { temporaryFolder } from '../peers/daemon.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';

const executable = fileURLToPath(new URL('../../bin/watchkeeper', import.meta.url));

describe('the command line', () => {
  test('--help lists every command', async () => {
    const { code, stdout } = await runWatchkeeper(['--help']);
    assert.equal(code, 0);
    for (const command of ['start', 'shell', 'check', 'run', 'validate', 'echo', 'completion'])
      assert.match(stdout, new RegExp(`^  ${command}\\b`, 'm'));
  });

  test('--version is that of the package', async () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const { stdout } = await runWatchkeeper(['--version']);
    // The manifest has a version.
    assert.equal(stdout.trim(), (JSON.parse(manifest) as { version: string }).version);
  });

  test('help is --help, also of a command and of a check type', async () => {
    for (const words of [[], ['check'], ['check', 'tcp'], ['serve']]) {
      const asked = await runWatchkeeper(['help', ...words]);
      assert.deepEqual(asked, await runWatchkeeper([...words, '--help']));
      assert.equal(asked.code, 0, asked.stderr);
    }
  });

  test('without a command the help comes, as misuse', async () => {
    const { code, stderr } = await runWatchkeeper([]);
    assert.equal(code, 3);
    assert.match(stderr, /^Usage: watchkeeper/);
  });

  test('an error is one sentence and the exit code of its kind; a bug asks to be reported', () => {
    assert.deepEqual(explain(new AppError('not-found', 'There is no x.')), { message: 'There is no x.', exitCode: 3 });
    const bug = explain(new TypeError('x is not a function'));
    assert.equal(bug.exitCode, 70);
    assert.match(bug.message, /please report it[^]*x is not a function[^]*at /);
  });

  test('a bug that nobody caught ends the program with 70 and asks to be reported', async () => {
    const commandLine = new URL('../../src/commands/command-line.ts', import.meta.url).href;
    const program = `(await import('${commandLine}')).runCommandLine(['--version']); setTimeout(() => null.bug);`;
    const failure = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]).catch(
      (error: unknown) => error as { readonly code: number; readonly stderr: string },
    );
    assert.match(failure.stderr, /^watchkeeper: this is a bug in Watchkeeper; please report it/m);
    assert.equal('code' in failure && failure.code, 70);
  });

  test('whoever stops reading the output ends the program without a word', async () => {
    const command = `${executable} check tcp 127.0.0.1:9 --count 50 --interval 10ms | head -n 1`;
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', command]);
    assert.equal(stdout.split('\n').length, 2);
    assert.equal(stderr, '');
  });

  test('D2: echo serves both protocols at once, says where, and counts in the end', async () => {
    await using program = new Watchkeeper(['echo', '--tcp', '0', '--udp', '0']);
    const text = await program.until(/UDP on 127\.0\.0\.1:\d+/);
    const [, tcp = '', udp = ''] = /TCP on 127\.0\.0\.1:(\d+)[^]*UDP on 127\.0\.0\.1:(\d+)/.exec(text) ?? [];
    for (const [protocol, port] of Object.entries({ tcp, udp })) {
      const words = ['check', 'echo', `127.0.0.1:${port}`, '--protocol', protocol, '--message', 'Hello!'];
      const { code, stdout } = await runWatchkeeper(words);
      assert.equal(code, 0, stdout);
      assert.match(stdout, /Hello!/);
    }
    program.signal('SIGTERM');
    assert.equal(await program.end(), 0);
    assert.match(program.stdout, /TCP 1 connections.*UDP 1 datagrams/);
  });

  test('start shows results of the starter configuration with no network, each with its task, until it is told to stop', async () => {
    await using folder = await temporaryFolder('start');
    await using program = new Watchkeeper(['start', '--data', folder.path, '--listen', '127.0.0.1:0']);
    const text = await program.until(/(Task [0-9a-f-]{36}, local: echo over (TCP|UDP) is up, [^]*){2}/);
    assert.match(text, /^The server at http:\/\/127\.0\.0\.1:\d+ watches what /);
    program.signal('SIGTERM');
    assert.equal(await program.end(), 0, program.stderr);
  });

  // The shortest is over before the server is up.
  for (const time of ['1s', '400ms', '10ms']) {
    test(`start ends by itself after the time asked, ${time}`, async () => {
      await using folder = await temporaryFolder('start');
      const words = ['start', '--data', folder.path, '--listen', '127.0.0.1:0', '--for', time];
      const { code, stderr } = await runWatchkeeper(words);
      assert.equal(code, 0, stderr);
    });
  }

  test('start says who uses its folder when it is run twice', async () => {
    await using folder = await temporaryFolder('start');
    await using first = new Watchkeeper(['start', '--data', folder.path, '--listen', '127.0.0.1:0']);
    await first.until(/Connected to/);
    const { code, stderr } = await runWatchkeeper(['start', '--data', folder.path, '--listen', '127.0.0.1:0']);
    assert.equal(code, 3);
    assert.match(stderr, /another server uses the data folder/);
  });
});
