import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundTripMs } from './round-trip.ts';

const departure = { sentNs: 5_000_000_000, sentMs: 100 };

const cases = [
  ['the kernel knows better than a late event loop', 5_000_020_000, 140, 0.02],
  ['without a kernel timestamp the monotonic clock decides', undefined, 100.5, 0.5],
  ['a wall clock stepped forward by an hour is not believed', 3_605_000_020_000, 100.5, 0.5],
  ['a wall clock stepped backward is not believed', 4_000_000_000, 100.5, 0.5],
] as const;

for (const [name, receivedNs, nowMs, expectedMs] of cases) {
  test(name, () => assert.equal(roundTripMs(departure, { receivedNs, nowMs }), expectedMs));
}
