import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from './data-folders.ts';

test('a data folder is made with those above it, for its owner only, and made again is no mistake', (t) => {
  const above = mkdtempSync(join(tmpdir(), 'watchkeeper-folder-'));
  t.after(() => rmSync(above, { recursive: true }));
  const folder = join(above, 'a', 'b');
  assert.equal(makeFolder(makeFolder(folder)), folder);
  assert.deepEqual([statSync(join(above, 'a')).mode & 0o777, statSync(folder).mode & 0o777], [0o700, 0o700]);
});

test('where no folder can be made, that is said at once, with the way out', () => {
  assert.throws(() => makeFolder('/proc/watchkeeper/server'), {
    code: 'unavailable',
    message: /^the data folder \/proc\/watchkeeper\/server cannot be made: ENOENT.* --data$/,
  });
});
