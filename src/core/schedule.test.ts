import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { scheduleOf, slotAfter, slotsBetween } from './schedule.ts';

const schedules = fc
  .record({ id: fc.string({ maxLength: 40 }), intervalMs: fc.integer({ min: 1000, max: 7 * 86_400_000 }) })
  .map(scheduleOf);
const times = fc.double({ min: 0, max: 4e12, noNaN: true });

describe('the slots of a monitor', () => {
  test('the next slot is later than now, by one interval at most, and on the grid', () => {
    fc.assert(
      fc.property(schedules, times, (schedule, time) => {
        const slot = slotAfter(schedule, time);
        assert.ok(slot > time && slot - time <= schedule.intervalMs, `${slot} after ${time}`);
        assert.equal((slot - schedule.phaseMs) % schedule.intervalMs, 0);
      }),
    );
  });

  test('the slot after a slot is one interval later', () => {
    fc.assert(
      fc.property(schedules, times, (schedule, time) => {
        const slot = slotAfter(schedule, time);
        assert.equal(slotAfter(schedule, slot), slot + schedule.intervalMs);
      }),
    );
  });

  test('the slots between two times are counted, however many', () => {
    fc.assert(
      fc.property(schedules, times, fc.nat({ max: 1e6 }), (schedule, time, count) => {
        const from = slotAfter(schedule, time);
        const until = from + count * schedule.intervalMs;
        assert.equal(slotsBetween(schedule, from, until), count);
        assert.equal(slotsBetween(schedule, from, until + 1), count + 1);
      }),
    );
  });

  test('a time before the slot has none between', () => {
    assert.equal(slotsBetween({ phaseMs: 0, intervalMs: 1000 }, 5000, 3000), 0);
  });
});

describe('the phases of many monitors', () => {
  test('the same id has the same phase in every process', () => {
    assert.deepEqual(scheduleOf({ id: 'www.google.com http', intervalMs: 60_000 }), {
      phaseMs: 38_709,
      intervalMs: 60_000,
    });
  });

  for (const [kind, idOf] of [
    ['numbered names', (index: number) => `monitor ${index}`],
    ['addresses', (index: number) => `10.0.${index >> 8}.${index & 255} icmp`],
  ] as const) {
    test(`are spread evenly for ${kind}`, () => {
      const seconds = Array.from({ length: 10 }, () => 0);
      const count = 10_000;
      for (let index = 0; index < count; index++) {
        const second = Math.floor(scheduleOf({ id: idOf(index), intervalMs: 10_000 }).phaseMs / 1000);
        seconds[second] = (seconds[second] ?? 0) + 1;
      }
      // A fair die gives 1000 ± 30 (one σ) in each tenth; five σ is no accident.
      for (const [second, due] of seconds.entries()) {
        assert.ok(Math.abs(due - 1000) < 150, `${due} of ${count} are due in second ${second}`);
      }
    });
  }
});
