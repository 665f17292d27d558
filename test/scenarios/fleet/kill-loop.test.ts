import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const kills = 25;
const script = fileURLToPath(new URL('../../../scripts/kill-loop.ts', import.meta.url));

test(`D4: ${kills} times kill -9 on agents and ${kills} times on their server lose nothing and double nothing`, async (t) => {
  const args = ['--disable-warning=ExperimentalWarning', script, String(kills)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  t.diagnostic(stdout.trim());
  assert.match(stdout, new RegExp(`^${kills} kills .* 0 lost, 0 doubled\\.\n$`));
});
