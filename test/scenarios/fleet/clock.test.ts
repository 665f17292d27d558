import assert from 'node:assert/strict';
import { globSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../../src/testing/eventually.ts';
import { accountsOf, assertSound } from '../../../src/testing/fleet-account.ts';
import { Fleet } from '../../../src/testing/fleet.ts';
import { removeFolder } from '../../../src/testing/remove-folder.ts';

const hourMs = 3_600_000;

test("FC33: an agent's clock is set an hour ahead, back, and an hour behind: nothing is lost, nothing is called down, the state follows", async (t) => {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
  if (!library) return t.skip('the Debian package faketime is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-clock-'));
  t.after(() => removeFolder(folder));
  const offset = join(folder, 'offset');
  const set = (seconds: number): void => writeFileSync(offset, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  set(0);
  const agentEnv = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: offset,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_CACHE_DURATION: '1',
  };
  await using fleet = await Fleet.open({ agents: 1, monitorsPerAgent: 10, agentEnv });

  for (const hours of [1, 0, -1, 0]) {
    set(hours * 3600);
    await eventually(`the latest results are ${hours} hours off`, async () => {
      const offsets = (await fleet.latest()).map(({ startedAt }) => Date.parse(startedAt) - Date.now());
      return offsets.length === 10 && offsets.every((ms) => Math.abs(ms - hours * hourMs) < 60_000);
    });
  }
  await fleet.settle();
  const accounts = await accountsOf(fleet);
  assertSound(accounts, () => 1);
  const results = accounts.flatMap(({ monitors }) => monitors.flatMap(({ results }) => results));
  assert.deepEqual(
    results.filter(({ status }) => status !== 'up' && status !== 'unknown'),
    [],
  );
});
