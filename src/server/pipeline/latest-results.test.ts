import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResultItem } from '../../core/entry.ts';
import { LatestResults } from './latest-results.ts';

const result: ResultItem = {
  kind: 'result',
  taskId: 't',
  monitorId: 'm',
  scheduledAt: 1000,
  startedAt: 1001,
  durationMs: 9,
  status: 'up',
  metrics: {},
  detail: {},
  message: '',
};

const clock = { now: () => 10_000_000, monotonic: () => 500 };

test('what the store has from before the start is as old as it is', () => {
  const latest = new LatestResults();
  latest.load(
    [
      { agentId: 'a', ...result, receivedAt: 9_000_000, startedAt: 8_999_991 },
      { agentId: 'b', ...result, taskId: 'older store', startedAt: 8_999_991 },
      { agentId: 'c', ...result, taskId: 'waited', receivedAt: 9_000_000, startedAt: 8_999_991 - 7000 },
      { agentId: 'd', ...result, taskId: 'of later', receivedAt: 99_000_000, startedAt: 98_999_991 },
    ],
    clock,
  );
  const known = ['t', 'older store', 'waited', 'of later'].map((taskId) => latest.get(taskId));
  assert.deepEqual(
    known.map((one) => [one?.agentId, one?.receivedAt, one?.measuredMs]),
    [
      ['a', 9_000_000, 500 - 1_000_000],
      ['b', 9_000_000, 500 - 1_000_000],
      ['c', 9_000_000, 500 - 1_007_000],
      ['d', 99_000_000, 500],
    ],
  );
});

test('SE3: the newest result of a task is the one that was taken last, whatever its time', () => {
  const latest = new LatestResults();
  latest.take({ agentId: 'a', result: { ...result, scheduledAt: 3_600_000 }, receivedAt: 1, measuredMs: 1 });
  latest.take({ agentId: 'a', result: { ...result, status: 'down' }, receivedAt: 2, measuredMs: 2 });
  assert.equal(latest.get('t')?.result.status, 'down');
});
