import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LatestResults, type LatestResult, type Place } from './latest-results.ts';

function latest(scheduledAt: number, status: 'up' | 'down' = 'up'): LatestResult {
  const times = { scheduledAt, startedAt: scheduledAt, durationMs: 1 };
  const result = {
    kind: 'result',
    taskId: 't',
    monitorId: 'm',
    ...times,
    status,
    metrics: {},
    detail: {},
    message: '',
  } as const;
  return { agentId: 'a', result, receivedAt: 0, heardMs: 0 };
}

const place = (seq: number, epoch = 'first'): Place => ({ epoch, seq });

describe('SE3: the newest result is the one that the agent said last, whatever clocks say', () => {
  test("an agent's clock that was an hour ahead and is corrected", () => {
    const results = new LatestResults();
    results.take(latest(3_600_000), place(10));
    assert.equal(results.take(latest(1000, 'down'), place(11)), true);
    assert.equal(results.get('t')?.result.status, 'down');
  });

  test('the same with the server started again in between', () => {
    const results = new LatestResults();
    results.take({ ...latest(3_600_000), heardMs: undefined }, place(10));
    assert.equal(results.take(latest(1000, 'down'), place(11)), true);
  });

  test('and with its hour sealed, so that nobody knows where it was said', () => {
    const results = new LatestResults();
    results.take({ ...latest(3_600_000), heardMs: undefined });
    assert.equal(results.take(latest(1000, 'down'), place(11)), true);
  });

  test('a backlog that comes after live results is late, also after a restart', () => {
    const results = new LatestResults();
    results.take({ ...latest(5000), heardMs: undefined }, place(10));
    assert.equal(results.take(latest(9_000_000), place(9)), false);
    assert.equal(results.get('t')?.result.scheduledAt, 5000);
  });

  test('an epoch that begins anew begins after the one before', () => {
    const results = new LatestResults();
    results.take(latest(5000), place(1000));
    assert.equal(results.take(latest(4000, 'down'), place(1, 'second')), true);
  });
});
