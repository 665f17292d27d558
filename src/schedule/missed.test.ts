import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testMonitor } from '../testing/monitors.ts';
import { missedResult } from './missed.ts';

test('MU35: slots that were missed are told with the first, the last and how many', () => {
  const slot = Date.UTC(2026, 0, 28, 16, 28, 30);
  const monitor = testMonitor({ intervalMs: 10_000 });
  const result = missedResult(monitor, { slot, count: 3, message: 'It slept.' });
  assert.deepEqual(result.detail, {
    missedRuns: 3,
    firstSlot: '2026-01-28T16:28:30.000Z',
    lastSlot: '2026-01-28T16:28:50.000Z',
  });
  const { status, reason, source, scheduledAt, startedAt, durationMs } = result;
  assert.deepEqual(
    { status, reason, source, scheduledAt, startedAt, durationMs },
    {
      status: 'unknown',
      reason: 'missed',
      source: 'agent',
      scheduledAt: slot,
      startedAt: slot,
      durationMs: 0,
    },
  );
  assert.equal(missedResult(monitor, { slot, count: 1, message: '' }).detail['lastSlot'], '2026-01-28T16:28:30.000Z');
});
