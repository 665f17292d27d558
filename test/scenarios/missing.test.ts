import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteStore } from '../../src/commands/serve/open-store.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { Fleet, type FleetAgent } from '../../src/testing/fleet.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';

test('SF15: a dead agent can be taken away, and what is missing of it is told with its reason', async () => {
  await using fleet = await Fleet.open({ agents: 2, monitorsPerAgent: 2 });
  const [first, second] = fleet.agents as [FleetAgent, FleetAgent];
  const run = async (...words: readonly string[]) => await runWatchkeeper([...words, '--data', fleet.serverFolder]);
  assert.match((await run('missing')).stdout, /^Nothing is missing: the server has every entry/);
  await second.program.kill();
  const agentId = fleet.status(second).agentId ?? '';

  await fleet.server.stop();
  {
    await using store = await openSqliteStore({ folder: fleet.serverFolder });
    const gap = { kind: 'gap', ranges: [[900_001, 900_040]], cause: 'overflow', at: Date.now() } as const;
    await store.commit({ agentId, epoch: 'torn', entries: [{ seq: 900_041, item: gap }], receivedAt: Date.now() });
  }
  fleet.server.start();
  await fleet.untilAnswering();
  await fleet.untilConnected([first.name]);
  const missing = await run('missing', '--json');
  const rows = missing.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.partialDeepStrictEqual(rows, [
    { agent: second.name, agentId, epoch: 'torn', cause: 'overflow', count: 40, ranges: [[900_001, 900_040]] },
    { agent: second.name, agentId, epoch: 'torn', cause: 'not-received', count: 900_000, firstAt: null, lastAt: null },
  ]);
  const table = (await run('missing')).stdout;
  assert.match(table, new RegExp(`${second.name} +40 .* the queue of the agent was full`));
  assert.match(table, /not received: on their way, or lost/);

  const removed = await run('agents', 'remove', second.name);
  assert.deepEqual([removed.code, removed.stderr], [0, '']);
  assert.match(removed.stdout, /^agent-2 is revoked and no longer listed/);
  assert.doesNotMatch((await run('agents')).stdout, /agent-2/);
  assert.match((await run('missing')).stdout, /agent-2/, 'what is missing is still told');
  const again = await run('agents', 'remove', second.name);
  assert.equal(again.code, 3);
  assert.match(again.stderr, /there is no agent "agent-2"/);
  second.program.start();
  // Its invitation was for once.
  await eventually('it is refused', () => /the join token is used up/.test(second.program.said));
  await fleet.server.stop();
  fleet.server.start();
  await fleet.untilAnswering();
  await fleet.untilConnected([first.name]);
  assert.equal(await fleet.view(second.name), undefined, 'also after a restart');
});
