import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentTraffic, Steps } from './rates.ts';

/** Steps at these seconds, and the bytes sent in each. */
function ratesOf(steps: readonly (readonly [atSeconds: number, sent: number])[]): readonly number[] {
  const times = new Steps(0);
  const recent = new RecentTraffic();
  for (const [atSeconds, sent] of steps) {
    times.add(1000 * atSeconds);
    if (sent > 0) recent.add(times.last, [sent, 0]);
  }
  const { rate2, rate10, rate40 } = recent.rates(times);
  return [rate2[0], rate10[0], rate40[0]];
}

const steady = Array.from({ length: 30 }, (_, step) => [2 * (step + 1), 2000] as const);

test('E3: a steady flow has the same rate over 2, 10 and 40 seconds', () => {
  assert.deepEqual(ratesOf(steady), [1000, 1000, 1000]);
});

/** The flow stops. */
function silence(steps: number): (readonly [number, number])[] {
  return Array.from({ length: steps }, (_, step) => [60 + 2 * (step + 1), 0] as const);
}

test('E3: what stopped leaves the windows one after the other', () => {
  assert.deepEqual(ratesOf([...steady, ...silence(1)]), [0, 800, 950]);
  assert.deepEqual(ratesOf([...steady, ...silence(5)]), [0, 0, 750]);
  assert.deepEqual(ratesOf([...steady, ...silence(20)]), [0, 0, 0]);
});

test('before a window is full, the rate is over the time there was', () => {
  assert.deepEqual(ratesOf([]), [0, 0, 0]);
  assert.deepEqual(ratesOf([[2, 2000]]), [1000, 1000, 1000]);
  assert.deepEqual(
    ratesOf([
      [2, 0],
      [4, 2000],
    ]),
    [1000, 500, 500],
  );
});

test('a step that came late or early is divided by the time it really took', () => {
  assert.deepEqual(
    ratesOf([
      [2, 0],
      [9, 7000],
    ]),
    [1000, 778, 778],
  );
  assert.deepEqual(ratesOf([...steady, [60.3, 300]]), [1000, 1000, 1000]);
  const jittery = steady.map(([at, sent], index) => [at + (index % 2 ? 0.004 : -0.004), sent] as const);
  assert.deepEqual(
    ratesOf(jittery).map((rate) => Math.round(rate / 10)),
    [100, 100, 100],
  );
});
