import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import { MemoryOutbox } from '../../testing/memory-outbox.ts';
import { Drills } from './drills.ts';

const minute = 60_000;
const steps = [
  { notifier: 'mail', step: 0, afterMs: 0 },
  { notifier: 'phone', step: 1, afterMs: 5 * minute },
];

function stand() {
  const clock = new FakeClock();
  const outbox = new MemoryOutbox(() => clock.now());
  let ids = 0;
  const drills = new Drills({
    clock,
    outbox,
    newId: () => `drill-${++ids}`,
    onQueued: () => {},
    onError: (error) => assert.fail(String(error)),
  });
  const headlines = () => [...outbox.rows.values()].map(({ notifier, message }) => `${notifier}: ${message.headline}`);
  const deliver = (notifier: string) => {
    for (const [id, row] of outbox.rows)
      if (row.notifier === notifier)
        outbox.rows.set(id, { ...row, finished: { outcome: 'delivered', at: clock.now() } });
  };
  return { clock, outbox, drills, headlines, deliver };
}

describe('a drill', () => {
  test('tells the people of a monitor at once, says so, and notes when it was delivered and taken', async () => {
    const { clock, drills, headlines, deliver } = stand();
    const { id } = drills.start('web', steps, 10 * minute);
    await clock.advance(1);
    assert.deepEqual(headlines(), ['mail: DRILL: web is not down, and this is told as if it were']);
    await clock.advance(2000);
    assert.equal(drills.get(id)?.deliveries[0]?.deliveredAt, undefined);
    deliver('mail');
    await clock.advance(300);
    const [delivery] = drills.get(id)?.deliveries ?? [];
    assert.ok(delivery?.deliveredAt !== undefined && delivery.deliveredAt - delivery.queuedAt < 2500);
    await clock.advance(minute);
    const taken = drills.take(id, 'Ana');
    assert.equal(taken?.taken?.by, 'Ana');
    assert.equal((taken?.taken?.at ?? 0) - (taken?.startedAt ?? 0), minute + 2301);
    await clock.advance(10 * minute);
    assert.deepEqual(headlines().slice(1), ['mail: DRILL over: web, Ana has it'], 'nobody is escalated to');
    assert.equal(drills.take(id, 'Ben'), undefined);
    assert.equal(clock.pending, 0);
  });

  test('goes on to the next step while nobody has it, and ends by itself', async () => {
    const { clock, drills, headlines } = stand();
    const { id } = drills.start('web', steps, 10 * minute);
    await clock.advance(11 * minute);
    assert.deepEqual(headlines(), [
      'mail: DRILL: web is not down, and this is told as if it were',
      'phone: DRILL: web is not down, and this is told as if it were',
      'mail: DRILL over: web, nobody took it',
      'phone: DRILL over: web, nobody took it',
    ]);
    assert.equal(drills.get(id)?.taken, undefined);
    assert.ok(drills.get(id)?.endedAt !== undefined);
    assert.equal(clock.pending, 0);
  });
});
