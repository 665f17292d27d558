import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const canary = 'kanarienvogel';

/** What a command line printed in all, and its exit code. */
async function run(...words: readonly string[]): Promise<{ readonly code: number | null; readonly printed: string }> {
  const { code, stdout, stderr } = await runWatchkeeper(words);
  return { code, printed: stdout + stderr };
}

describe('CT3: a password is printed by nothing', () => {
  for (const user of [`:${canary}@`, `${canary}@`, `user:${canary}@`, `user:${canary}x%40@`]) {
    test(`check refuses http://${user.replaceAll(canary, '…')}127.0.0.1/ and does not say it`, async () => {
      for (const url of [`http://${user}127.0.0.1/`, `http://${user}`, `${user}127.0.0.1`]) {
        const { code, printed } = await run('check', 'http', url, '--json');
        assert.equal(code, 3, printed);
        assert.ok(!printed.includes(canary), printed);
      }
    });

    test(`validate refuses http://${user.replaceAll(canary, '…')}127.0.0.1/ and does not say it`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-secrets-'));
      try {
        const file = join(folder, 'monitors.yaml');
        await writeFile(file, `monitors:\n  - { name: web, type: http, target: 'http://${user}127.0.0.1/' }\n`);
        const { code, printed } = await run('validate', file);
        assert.equal(code, 3, printed);
        assert.ok(!printed.includes(canary), printed);
      } finally {
        await removeFolder(folder);
      }
    });
  }

  for (const [what, options] of Object.entries({
    'a token with a space': ['--auth-token', `${canary} x`],
    'a token that is too long': ['--auth-token', canary.repeat(1000)],
    'a password that is too long': ['--auth-user', 'ann', '--auth-password', canary.repeat(1000)],
    'a password behind the user': ['--auth-user', `ann:${canary}`],
    'a header without a colon': ['--headers', `x-key ${canary}`],
    'a header with a line break': ['--headers', `x-key: ${canary}\nx: y`],
    'a proxy of another scheme': ['--proxy', `ftp://ann:${canary}@127.0.0.1`],
    'a proxy that is no URL': ['--proxy', `ann:${canary}@127.0.0.1:x`],
    'a key that is none': ['--tls-key', `-----BEGIN PRIVATE KEY-----\n${canary}`],
  }))
    test(`${what} is refused and not said`, async () => {
      const { code, printed } = await run('check', 'http', 'http://127.0.0.1/', ...options);
      assert.equal(code, 3, printed);
      assert.match(printed, new RegExp(`^watchkeeper: ${options.at(-2)}`));
      assert.ok(!printed.includes(canary), printed);
    });

  test('validate does not say what is wrong in place of a secret', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-secrets-'));
    try {
      for (const options of [
        `auth: 'ann:${canary}'`,
        `auth: { token: '${canary} x' }`,
        `headers: { x-key: ["${canary}"] }`,
        `headers: '${canary}'`,
        `proxy: 'ftp://ann:${canary}@127.0.0.1'`,
        `tls: { key: '${canary}' }`,
        `tls: '${canary}'`,
      ]) {
        const file = join(folder, 'monitors.yaml');
        await writeFile(
          file,
          `monitors:\n  - { name: web, type: http, target: 'http://127.0.0.1/', options: { ${options} } }\n`,
        );
        const { code, printed } = await run('validate', file);
        assert.equal(code, 3, printed);
        assert.match(printed, /expected|not shown/);
        assert.ok(!printed.includes(canary), printed);
      }
    } finally {
      await removeFolder(folder);
    }
  });

  test('a check that fails prints neither its password, nor its headers, nor those of its proxy', async () => {
    const closed = await closedPort();
    const url = `http://127.0.0.1:${closed}/`;
    for (const options of [
      ['--auth-user', 'ann', '--auth-password', canary],
      ['--auth-token', canary],
      ['--headers', `x-key: ${canary}`],
      ['--proxy', `http://ann:${canary}@127.0.0.1:${closed}`],
    ])
      for (const flags of [[], ['--json'], ['-v']]) {
        const { code, printed } = await run('check', 'http', url, ...options, ...flags);
        assert.equal(code, 2, printed);
        assert.ok(!printed.includes(canary), printed);
      }
  });
});
