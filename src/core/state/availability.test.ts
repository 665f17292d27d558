import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { availabilityOf, type StateSpan } from './availability.ts';

const day = { from: 1000, to: 2000 };

function figures(states: readonly StateSpan[], more = {}): readonly (number | undefined)[] {
  const { upMs, degradedMs, downMs, unknownMs, maintenanceMs, available } = availabilityOf(states, { ...day, ...more });
  return [upMs, degradedMs, downMs, unknownMs, maintenanceMs, available];
}

describe('C9: availability is weighted by time over confirmed states', () => {
  test('without a state all of it is unknown, and there is no figure', () => {
    assert.deepEqual(figures([]), [0, 0, 0, 1000, 0, undefined]);
  });

  test('a state holds from before the span to its end', () => {
    assert.deepEqual(figures([{ since: 5, state: 'up' }]), [1000, 0, 0, 0, 0, 1]);
  });

  test('a failure counts from its first failing run, and what is not known is in no denominator', () => {
    const states = [
      { since: 0, state: 'up' },
      { since: 1200, state: 'down' },
      { since: 1300, state: 'up' },
      { since: 1500, state: 'unknown' },
      { since: 1900, state: 'up' },
    ] as const;
    assert.deepEqual(figures(states), [500, 0, 100, 400, 0, 500 / 600]);
  });

  test('a state that was known later and began earlier takes the time of those between', () => {
    const states = [
      { since: 0, state: 'down' },
      { since: 1500, state: 'unknown' },
      { since: 1400, state: 'down' },
    ] as const;
    assert.deepEqual(figures(states), [0, 0, 1000, 0, 0, 0]);
  });

  test('degraded is available, and shown', () => {
    assert.deepEqual(figures([{ since: 0, state: 'degraded' }]), [0, 1000, 0, 0, 0, 1]);
  });

  test('maintenance is counted once where windows overlap, and is in no denominator', () => {
    const states = [
      { since: 0, state: 'up' },
      { since: 1500, state: 'down' },
    ] as const;
    const maintenance = [
      { from: 1400, to: 1700 },
      { from: 1600, to: 1800 },
      { from: 5000, to: 6000 },
    ];
    assert.deepEqual(figures(states, { maintenance }), [400, 0, 200, 0, 400, 400 / 600]);
  });
});
