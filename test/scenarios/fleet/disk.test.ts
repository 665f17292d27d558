import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { eventually } from '../../../src/testing/eventually.ts';
import { accountsOf, assertSound, assertUnbroken } from '../../../src/testing/fleet-account.ts';
import { Fleet, type FleetAgent } from '../../../src/testing/fleet.ts';
import { fillDisk, mountSmallDisk } from '../../../src/testing/small-disk.ts';

/** Longer than three heartbeats, after which an agent that is not heard would be offline. */
const lockMs = 20_000;

test('FC04, FC05: an agent whose disk is full to the last block says so, hands over what waits, and records again once there is room', async (t) => {
  await using disk = await mountSmallDisk();
  if (!disk) return t.skip('no file system can be mounted here: that needs root');
  await using fleet = await Fleet.open({ agents: 1, monitorsPerAgent: 50, agentData: join(disk.path, 'agent') });
  const [agent] = fleet.agents as [FleetAgent];

  await fleet.server.stop();
  const recordedBefore = fleet.status(agent).queue.lastSeq + 100;
  await eventually('results wait', () => fleet.status(agent).queue.lastSeq > recordedBefore);
  const filler = join(disk.path, 'filler');
  fillDisk(filler);
  const status = await eventually('its reserve is in use', () => {
    const { health } = fleet.status(agent);
    return health.warnings?.length ? health : undefined;
  });
  assert.match(status.warnings?.[0] ?? '', /reserve/);
  assert.deepEqual(status.impaired, []);
  fillDisk(`${filler}-2`);
  const visits = fleet.visits(agent.name);
  await eventually('checks go on', () => fleet.visits(agent.name) > visits + 150);
  fleet.server.start();
  await fleet.untilAnswering();
  const said = await eventually('it says what is wrong', async () => (await fleet.view(agent.name))?.impaired[0]);
  assert.match(said, /ENOSPC|disk|space/);
  await eventually('what waited on the full disk is handed over', () => lastReceived(fleet) > recordedBefore);

  for (const file of [filler, `${filler}-2`]) rmSync(file);
  await eventually('it is well again', async () => (await fleet.view(agent.name))?.status === 'online');
  await fleet.settle();
  const accounts = await accountsOf(fleet);
  assertSound(accounts, () => 1);
  assertUnbroken(accounts);
});

test('FC01: checks go on while another process holds the store locked, and everything is kept once it lets go', async () => {
  await using fleet = await Fleet.open({ agents: 2, monitorsPerAgent: 50 });
  {
    using holder = new DatabaseSync(fleet.database);
    holder.exec('PRAGMA busy_timeout = 10000; BEGIN EXCLUSIVE');
    const received = lastReceived(fleet);
    const visits = fleet.agents.map(({ name }) => fleet.visits(name));
    await new Promise((resolve) => setTimeout(resolve, lockMs));
    for (const [index, { name }] of fleet.agents.entries()) {
      const runs = fleet.visits(name) - (visits[index] ?? 0);
      assert.ok(runs > (50 * lockMs) / 1000 / 2, `${name} ran ${runs} checks in ${lockMs} ms`);
      assert.equal((await fleet.view(name))?.status, 'online', `${name} is heard while its results wait`);
    }
    assert.equal(lastReceived(fleet), received, 'the lock held');
    holder.exec('ROLLBACK');
  }
  await fleet.settle();
  const accounts = await accountsOf(fleet);
  assertSound(accounts, () => 1);
  assertUnbroken(accounts);
  assert.match(fleet.server.said, /Another process holds the store locked/);
});

/** The highest number that the store has of any agent. */
function lastReceived(fleet: Fleet): number {
  using database = new DatabaseSync(fleet.database, { readOnly: true });
  const sql = "SELECT max(json_extract(ranges, '$[#-1][1]')) AS last FROM epochs";
  return Number(database.prepare(sql).get()?.['last']);
}
