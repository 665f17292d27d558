import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { missing, temporaryFolder } from './peers/daemon.ts';

const root = resolve(import.meta.dirname, '..');
const deploy = join(root, 'deploy');

/** What a unit may expose at most by the measure of `systemd-analyze security`: 0 is nothing, 10 everything. */
const units = { 'watchkeeper-agent.service': 2, 'watchkeeper.service': 1.5 };

describe('the systemd units', { skip: missing('systemd-analyze') }, () => {
  for (const [unit, limit] of Object.entries(units)) {
    test(`${unit} exposes no more than ${limit}`, () => {
      const report = analyze('security', '--offline=true', '--no-pager', join(deploy, unit));
      const exposure = Number(/Overall exposure level for .*: (\d+\.\d+)/.exec(report)?.[1]);
      assert.ok(exposure <= limit, `${exposure}\n${report}`);
    });

    test(`systemd understands every line of ${unit}, and what it starts is there`, async () => {
      await using folder = await temporaryFolder('units');
      const file = join(folder.path, unit);
      writeFileSync(file, readFileSync(join(deploy, unit), 'utf8').replaceAll('/opt/watchkeeper', root));
      assert.equal(analyze('verify', '--man=no', file), '');
    });

    test(`the user of ${unit} is one that is made`, () => {
      const [, user] = /^User=(.*)$/m.exec(readFileSync(join(deploy, unit), 'utf8')) ?? [];
      const made = readFileSync(join(deploy, 'watchkeeper.sysusers.conf'), 'utf8').matchAll(/^u (\S+)/gm);
      assert.ok([...made].some(([, name]) => name === user));
    });
  }
});

test('the signal to end goes to the server alone, which ends its own agent', () => {
  assert.match(readFileSync(join(deploy, 'watchkeeper.service'), 'utf8'), /^KillMode=mixed$/m);
});

/** What it printed; rejects what it finds wrong by its exit code. */
function analyze(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout + stderr;
}
