import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { openGateway } from './open-gateway.ts';
import { entriesOf, heartbeat, newIdentity, resultOf, WrongAgent } from './wrong-agent.ts';

const taskId = '0193a0de-0000-7000-8000-000000000002';

test('while the store is locked heartbeats are answered, and entries are committed in their order when it opens', async (t) => {
  const lock = Promise.withResolvers<void>();
  const committed: number[] = [];
  const url = await openGateway(t, async (_agentId, _epoch, entries) => {
    await lock.promise;
    committed.push(...entries.map(({ seq }) => seq));
  });
  using agent = await WrongAgent.welcomed(url, { identity: newIdentity('patient') });
  for (let seq = 1; seq <= 50; seq++) agent.say(entriesOf('1', [seq, resultOf(taskId)]));
  agent.say(heartbeat());
  await agent.until('heartbeat-seen');
  assert.deepEqual(committed, []);
  assert.equal(agent.words.filter(({ type }) => type === 'ack').length, 0);
  lock.resolve();
  await eventually('all is acknowledged', () => agent.words.filter(({ type }) => type === 'ack').length === 50);
  assert.deepEqual(
    committed,
    Array.from({ length: 50 }, (_, at) => at + 1),
  );
});

test('an agent whose entries wait for the store is read up to a limit, and later to the end; others are heard all the time', async (t) => {
  const lock = Promise.withResolvers<void>();
  const url = await openGateway(t, () => lock.promise);
  using flooding = await WrongAgent.welcomed(url, { identity: newIdentity('flooding') });
  using other = await WrongAgent.welcomed(url, { identity: newIdentity('other') });
  const message = 'x'.repeat(3900);
  for (let frame = 0; frame < 32; frame++) {
    const items = Array.from(
      { length: 250 },
      (_, at) => [frame * 250 + at + 1, resultOf(taskId, { message })] as const,
    );
    flooding.say(entriesOf('1', ...items));
  }
  // One frame of each agent a turn: two hundred answers later the flood was read as far as it may be.
  for (let beat = 0; beat < 200; beat++) other.say(heartbeat());
  await eventually(
    'the heartbeats are answered',
    () => other.words.filter(({ type }) => type === 'heartbeat-seen').length === 200,
  );
  assert.ok(flooding.socket.bufferedAmount > 16 * 2 ** 20, `${flooding.socket.bufferedAmount} bytes are not taken`);
  lock.resolve();
  flooding.say(heartbeat());
  await flooding.until('heartbeat-seen');
});
