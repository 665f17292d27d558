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

test('what the store has from before the start counts as received when the store says, and is not heard yet', () => {
  const latest = new LatestResults();
  latest.load([
    { agentId: 'a', ...result, receivedAt: 5000 },
    { agentId: 'b', ...result, taskId: 'older store' },
  ]);
  const received = ['t', 'older store'].map((taskId) => latest.get(taskId));
  assert.deepEqual(
    received.map((known) => [known?.agentId, known?.receivedAt, known?.heardMs]),
    [
      ['a', 5000, undefined],
      ['b', 1010, undefined],
    ],
  );
});

test('SE3: the newest result of a task is the one that was taken last, whatever its time', () => {
  const latest = new LatestResults();
  latest.take({ agentId: 'a', result: { ...result, scheduledAt: 3_600_000 }, receivedAt: 1, heardMs: 1 });
  latest.take({ agentId: 'a', result: { ...result, status: 'down' }, receivedAt: 2, heardMs: 2 });
  assert.equal(latest.get('t')?.result.status, 'down');
});
