import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { takeFolder } from './data-folders.ts';

function temporary(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'watchkeeper-folder-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

const server = { mode: 0o700, user: 'server' } as const;
const agent = { mode: 0o711, user: 'agent' } as const;
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('a data folder', () => {
  test('is made with those above it, for its owner only, and taken again is no mistake', (t) => {
    const above = temporary(t);
    const folder = join(above, 'a', 'b');
    takeFolder(folder, server)[Symbol.dispose]();
    using taken = takeFolder(folder, server);
    assert.equal(taken.path, folder);
    assert.deepEqual([modeOf(join(above, 'a')), modeOf(folder)], [0o700, 0o700]);
  });

  test('AT6: has the mode it had, if somebody else made it', (t) => {
    const above = temporary(t);
    const [made, lent] = [join(above, 'made'), join(above, 'lent')];
    mkdirSync(lent, { mode: 0o750 });
    using _made = takeFolder(made, agent);
    using _lent = takeFolder(lent, agent);
    assert.deepEqual([modeOf(made), modeOf(lent)], [0o711, 0o750]);
  });

  test('AT6: is refused where others may write', (t) => {
    const folder = temporary(t);
    chmodSync(folder, 0o777);
    assert.throws(() => takeFolder(folder, server), {
      code: 'unavailable',
      message: /others may write into .*: chmod go-w/,
    });
  });

  test(
    'AT6: is refused where another owns it',
    { skip: process.geteuid?.() !== 0 && 'only root can give a folder away' },
    (t) => {
      const folder = temporary(t);
      chownSync(folder, 4711, 4711);
      assert.throws(() => takeFolder(folder, server), {
        code: 'unavailable',
        message: /belongs to user 4711, and this is user 0: /,
      });
    },
  );

  test('that cannot be made is told at once, with the way out', () => {
    assert.throws(() => takeFolder('/proc/watchkeeper/server', server), {
      code: 'unavailable',
      message: /^the data folder \/proc\/watchkeeper\/server cannot be made: no folder can be made there\. .* --data$/,
    });
  });
});

/** Takes the folder in a process of its own, which then ends. */
function takenByAnother(folder: string, before = ''): { readonly status: number | null; readonly stderr: string } {
  const file = new URL('./data-folders.ts', import.meta.url).href;
  const program = `try { (await import('${file}')).takeFolder('${folder}', { mode: 448, user: 'server' }) } catch (error) { console.error(error.message); process.exit(3) }`;
  const node = `${process.execPath} --disable-warning=ExperimentalWarning --input-type=module -e "${program}"`;
  return spawnSync('sh', ['-c', `${before} ${node}`], { encoding: 'utf8' });
}

describe('SE7: one process has a data folder', () => {
  test('as long as it lives, and another after it', (t) => {
    const folder = temporary(t);
    const taken = takeFolder(folder, server);
    const { status, stderr } = takenByAnother(folder);
    assert.deepEqual(
      [status, stderr],
      [3, `another server uses the data folder ${folder}: stop it, or choose another with --data\n`],
    );
    taken[Symbol.dispose]();
    assert.equal(takenByAnother(folder).status, 0);
    assert.equal(takenByAnother(folder).status, 0, 'a process that has ended holds nothing');
  });

  test('also from another PID namespace', { skip: process.geteuid?.() !== 0 && 'a namespace needs root' }, (t) => {
    const folder = temporary(t);
    using _taken = takeFolder(folder, server);
    assert.equal(takenByAnother(folder, 'unshare --pid --fork').status, 3);
  });
});
