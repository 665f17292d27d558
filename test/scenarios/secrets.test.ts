import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { Watchkeeper } from '../../src/testing/watchkeeper.ts';

const canary = 'kanarienvogel';

/** What a command line printed in all, and its exit code. */
async function run(...words: readonly string[]): Promise<{ readonly code: number | null; readonly printed: string }> {
  await using program = new Watchkeeper(words);
  const code = await program.end();
  return { code, printed: program.stdout + program.stderr };
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
        await rm(folder, { recursive: true });
      }
    });
  }

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
