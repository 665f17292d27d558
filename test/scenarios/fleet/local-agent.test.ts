import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { eventually } from '../../../src/testing/eventually.ts';
import { accountsOf, assertSound } from '../../../src/testing/fleet-account.ts';
import { Fleet } from '../../../src/testing/fleet.ts';
import { labMissing } from '../../../src/testing/netlab.ts';
import { openStarLab } from '../../../src/testing/star-lab.ts';

test("FC36: the server's own agent is started again when it is killed, outlives no server, and loses nothing", async () => {
  await using fleet = await Fleet.open({ agents: 0, monitorsPerAgent: 20, hasLocalAgent: true });
  const local = { name: 'local', folder: fleet.localAgentFolder };
  const { pid: first, agentId } = fleet.status(local);

  process.kill(first, 'SIGKILL');
  const second = await eventually('another takes its place', () => runningOtherThan(first));
  await fleet.untilConnected();

  await fleet.server.kill();
  await eventually('it ends with its server', () => !isAlive(second));
  fleet.server.start();
  const third = await eventually('another takes its place', () => runningOtherThan(second));
  await fleet.untilAnswering();
  await fleet.untilConnected();
  assert.equal(fleet.status(local).agentId, agentId);

  await fleet.settle();
  assertSound(await accountsOf(fleet), () => 3);
  assert.equal(isAlive(third), true);
  await fleet.server.stop();
  assert.equal(isAlive(third), false, 'a server that is stopped leaves no agent behind');

  function runningOtherThan(pid: number): number | undefined {
    const { pid: now } = fleet.status(local);
    return now !== pid && isAlive(now) ? now : undefined;
  }
});

/** Also false for one that has ended and was not waited for. */
function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

test('SF4: the local agent joins a server that listens on the address of one interface only', async (t) => {
  if (labMissing) return t.skip(labMissing);
  await using lab = await openStarLab(2);
  await using fleet = await Fleet.open({ agents: 0, monitorsPerAgent: 1, hasLocalAgent: true, lab });
  assert.equal((await fleet.view('local'))?.address, fleet.serverLeaf?.address);
});

test('a local agent that has joined needs no invitation at the next start, and one that was revoked gets none', async () => {
  await using fleet = await Fleet.open({ agents: 0, monitorsPerAgent: 1, hasLocalAgent: true });
  const invitations = (): number => {
    using database = new DatabaseSync(fleet.database, { readOnly: true });
    return Number(database.prepare('SELECT count(*) AS count FROM join_tokens').get()?.['count']);
  };
  assert.equal(invitations(), 1);
  await fleet.server.stop();
  fleet.server.start();
  await fleet.untilAnswering();
  await fleet.untilConnected();
  assert.equal(invitations(), 1);

  await fleet.ask('/agents/local/revoke', {});
  await fleet.server.stop();
  fleet.server.start();
  await fleet.untilAnswering();
  await eventually('it is said', () => /The local agent was revoked and does not run/.test(fleet.server.said));
  assert.equal((await fleet.view('local'))?.status, 'revoked');
  assert.equal(invitations(), 1);
});
