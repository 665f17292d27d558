import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { DataFolder } from './data-folder.ts';

function folder(t: TestContext): DataFolder {
  const path = mkdtempSync(join(tmpdir(), 'watchkeeper-data-'));
  t.after(() => rmSync(path, { recursive: true }));
  return new DataFolder(path);
}

describe('AT1: the file of the API token', () => {
  test('is made once, and read from then on', (t) => {
    const data = folder(t);
    const token = data.apiToken();
    assert.match(token, /^wka_[\w-]{43}$/);
    assert.equal(data.apiToken(), token);
  });

  for (const [what, text] of [
    ['is empty', ''],
    ['is blank', ' \n\t\n'],
    ['has a byte order mark alone', '\ufeff'],
    ['holds NULs', '\0'.repeat(44)],
    ['has too short a token', 'secret\n'],
    ['has two lines', `${'a'.repeat(30)}\n${'b'.repeat(30)}\n`],
    ['is far too long', 'a'.repeat(10_000)],
  ] as const)
    test(`that ${what} is refused at the start`, (t) => {
      const data = folder(t);
      writeFileSync(join(data.path, 'api-token'), text);
      assert.throws(() => data.apiToken(), { code: 'invalid-config', message: /expected a token of 20 to 200/ });
    });

  test('may hold a token that an administrator chose', (t) => {
    const data = folder(t);
    writeFileSync(join(data.path, 'api-token'), `${'Ab1-._~+/'.repeat(4)}==\r\n`);
    assert.equal(data.apiToken(), `${'Ab1-._~+/'.repeat(4)}==`);
  });
});
