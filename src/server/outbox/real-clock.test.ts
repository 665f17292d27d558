import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { systemClock } from '../../core/clock.ts';
import type { NotifierPlan } from '../../notify/notifier-plan.ts';
import { testContext } from '../../testing/context.ts';
import { eventually } from '../../testing/eventually.ts';
import { MemoryOutbox } from '../../testing/memory-outbox.ts';
import { rowOf } from '../store/outbox.contract.ts';
import { OutboxWorker } from './outbox-worker.ts';

test('on a clock that goes on between two looks, one message after the other is sent, and nothing spins', async () => {
  let looks = 0;
  class CountedOutbox extends MemoryOutbox {
    override async waiting() {
      looks += 1;
      return await super.waiting();
    }
  }
  const outbox = new CountedOutbox(() => systemClock.now());
  let told = 0;
  const plan: NotifierPlan = {
    name: 'mail',
    channel: {
      type: {
        kind: 'test',
        title: 'Test',
        summary: '',
        notes: [],
        options: z.strictObject({}),
        rate: { burst: 10, perSecond: 10 },
        async send() {
          told += 1;
          return { outcome: 'delivered' };
        },
      },
      options: {},
      secrets: [],
      zone: 'UTC',
    },
    perMinute: 30,
    minimumSeverity: 'info',
    tags: [],
  };
  await using worker = new OutboxWorker({
    outbox,
    net: testContext().net,
    clock: systemClock,
    random: Math.random,
    onHealth: () => {},
    onError: (error) => assert.fail(String(error)),
  });
  worker.use([plan]);
  for (const [index, incident] of ['a', 'b', 'c'].entries()) {
    await outbox.settle([], [rowOf(incident, { dueAt: systemClock.now() })]);
    worker.wake();
    await eventually(`${incident} is told`, () => told > index);
  }
  assert.equal(told, 3);
  assert.ok(looks <= 12, `looked ${looks} times for three messages`);
});
