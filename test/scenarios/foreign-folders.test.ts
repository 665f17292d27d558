import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../../src/testing/eventually.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../bin/watchkeeper', import.meta.url));
const isRoot = process.geteuid?.() === 0;
const root = { skip: !isRoot && 'only root can be another user and mount' };
/** No entry in the list of users, as on platforms that choose a number for each container. */
const stranger = 54_321;

/** A folder that strangers may pass through. */
class OpenFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'watchkeeper-foreign-'));

  constructor() {
    chmodSync(this.path, 0o755);
  }

  /** A folder of the stranger. */
  lent(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, stranger, stranger);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

interface Ended {
  readonly code: number;
  readonly printed: string;
}

async function shell(script: string): Promise<Ended> {
  try {
    const { stdout, stderr } = await run('sh', ['-c', script], { timeout: 60_000 });
    return { code: 0, printed: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, printed: stdout + stderr };
  }
}

/** Runs what follows as the stranger, without HOME. */
const asStrangerText = `env -u HOME -u XDG_STATE_HOME setpriv --reuid ${stranger} --regid ${stranger} --clear-groups`;

function asStranger(words: string): Promise<Ended> {
  return shell(`${asStrangerText} timeout 60 ${program} ${words}`);
}

function assertSentence({ code, printed }: Ended, expected: RegExp): void {
  assert.doesNotMatch(printed, /this is a bug/);
  assert.match(printed, expected);
  assert.equal(code, 3, printed);
}

describe('SF10: a user without an entry and without HOME', root, () => {
  for (const words of ['serve', 'agent --join http://127.0.0.1:1', 'agents', 'invite'])
    test(`${words} says what to do`, async () => {
      assertSentence(
        await asStranger(words),
        /this user has no home folder: say with --data where the data is, or set HOME/,
      );
    });

  test('agent status looks where an agent is installed', async () => {
    assertSentence(await asStranger('agent status'), /No agent has run in \/var\/lib\/watchkeeper-agent/);
  });

  test('serves from the folder that --data names, and says so', async () => {
    using folder = new OpenFolder();
    const data = join(folder.lent('own'), 'data');
    const words = `exec ${asStrangerText} ${program} serve --data ${data} --listen 127.0.0.1:0 --no-local-agent`;
    const server = spawn('sh', ['-c', words], { stdio: ['ignore', 'ignore', 'pipe'] });
    let printed = '';
    server.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text));
    await eventually('it serves', () => printed.includes('From elsewhere')).finally(() => server.kill());
    await once(server, 'exit');
    assert.match(printed, new RegExp(`serves http://127\\.0\\.0\\.1:\\d+; its data is in ${data}\\.`));
    assert.match(printed, new RegExp(`watchkeeper console --data ${data}`));
    assert.doesNotMatch(printed, /this is a bug/);
  });
});

describe('SF10: a data folder that cannot be used is said in a sentence', root, () => {
  for (const [what, command] of [
    ['serve', 'serve --listen 127.0.0.1:0'],
    ['agent', 'agent --listen 127.0.0.1:0'],
  ] as const) {
    for (const [place, expected] of [
      ['ro', /cannot be used: its file system is read-only/],
      ['ro/new', /cannot be made: its file system is read-only/],
    ] as const)
      test(`${what}: read-only (${place})`, async () => {
        using folder = new OpenFolder();
        const mounted = `mkdir ro && mount -t tmpfs -o mode=755,size=1m none ro && mount -o remount,ro ro`;
        const script = `cd ${folder.path} && ${mounted} && timeout 60 ${program} ${command} --data ${place}`;
        assertSentence(await shell(`unshare -m sh -c '${script}'`), expected);
      });

    test(`${what}: a file or a broken link in its place`, async () => {
      using folder = new OpenFolder();
      writeFileSync(join(folder.path, 'file'), '');
      symlinkSync('nowhere', join(folder.path, 'link'));
      const ended = (name: string) => shell(`timeout 60 ${program} ${command} --data ${join(folder.path, name)}`);
      assertSentence(await ended('file'), /cannot be used: there is a file in the place of a directory/);
      assertSentence(await ended('file/inside'), /cannot be made: there is a file in the place of a directory/);
      assertSentence(await ended('link'), /cannot be made: there is something else in its place/);
    });
  }

  for (const name of ['server.json', 'api-token', 'watchkeeper.db', 'lock'])
    test(`serve: ${name} belongs to another user, from a start as root`, async () => {
      using folder = new OpenFolder();
      const data = folder.lent('data');
      writeFileSync(join(data, name), '', { mode: 0o600 });
      assertSentence(
        await asStranger(`serve --data ${data} --listen 127.0.0.1:0 --no-local-agent`),
        /this user may not use it|cannot be opened \(.*\): see who owns the files/,
      );
    });
});

test('SF10: an output that is full is said in a sentence', async () => {
  assertSentence(
    await shell(`${program} check tcp 127.0.0.1:1 > /dev/full`),
    /the output cannot be written: .*no space left/,
  );
});
