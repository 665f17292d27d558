import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Health } from './health.ts';
import { Upkeep } from './upkeep.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('FC13: a store that cannot be tidied makes the server unwell within a round, and is tried again until it can', async (t) => {
  const clock = new FakeClock();
  const health = new Health({
    clock,
    wanted: () => [],
    withoutAgent: () => [],
    heardMs: () => undefined,
    agentName: (agentId) => agentId,
  });
  let isBroken = true;
  const said: string[] = [];
  const upkeep = new Upkeep({
    clock,
    store: {
      seal: async () => (isBroken ? await Promise.reject(new Error('the disk is full')) : 0),
      retain: async () => {},
    },
    clientLogs: { drop: async () => {} },
    retention: undefined,
    say: (text) => said.push(text),
    health,
  });
  t.after(() => upkeep.stop());
  upkeep.start();
  await settle();
  assert.deepEqual(health.report().problems, ['the store is not being tidied: the disk is full']);
  assert.match(said[0] ?? '', /tried again in 10 minutes: the disk is full/);
  isBroken = false;
  await clock.advance(600_000);
  await settle();
  assert.deepEqual(health.report(), { isWell: true, problems: [] });
});
