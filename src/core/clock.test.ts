import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { sleep } from './clock.ts';

test('MU24: sleeping with a signal that has aborted ends at once, with its reason, and leaves no timer', async () => {
  const clock = new FakeClock();
  const reason = new Error('stopped');
  await assert.rejects(sleep(clock, 1000, AbortSignal.abort(reason)), reason);
  assert.equal(clock.pending, 0);
});

test('a signal that aborts ends the sleep, and leaves no timer', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const slept = sleep(clock, 1000, stop.signal);
  stop.abort(new Error('stopped'));
  await assert.rejects(slept, { message: 'stopped' });
  assert.equal(clock.pending, 0);
});
