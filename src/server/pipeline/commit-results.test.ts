import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResultItem } from '../../core/entry.ts';
import { commitResults, type PipelinePorts } from './commit-results.ts';
import { LatestResults } from './latest-results.ts';

const nowMs = 50_000;

/** A result of a run that ended `agoMs` before the batch came, by the agent's clock. */
async function measuredMs(agoMs: number, clockOffsetMs: number): Promise<number | undefined> {
  const latest = new LatestResults();
  const ports: PipelinePorts = {
    clock: { monotonic: () => nowMs },
    latest,
    commit: async () => ({ added: [[1, 1]], newest: [[1, 1]], repeated: [], tooOld: [], conflicting: [] }),
    isTaskOf: () => true,
    readRecord: () => ({ refusal: 'none' }),
    withoutSecrets: (item) => item,
    publish: () => {},
    onRefused: () => {},
  };
  const receivedAt = 1_000_000;
  const startedAt = receivedAt - agoMs - 100;
  const outcome = { status: 'up', metrics: {}, detail: {}, message: '' } as const;
  const times = { scheduledAt: startedAt, startedAt, durationMs: 100 };
  const item: ResultItem = { kind: 'result', taskId: 't', monitorId: 'm', ...times, ...outcome };
  await commitResults({ agentId: 'a', epoch: 'e', entries: [{ seq: 1, item }], receivedAt, clockOffsetMs }, ports);
  return latest.get('t')?.measuredMs;
}

test('a result that waited for a connection is as old as its run, by the server’s clock', async () => {
  assert.equal(await measuredMs(0, 0), nowMs);
  assert.equal(await measuredMs(7000, 0), nowMs - 7000);
  assert.equal(await measuredMs(3_600_000, -3_600_000), nowMs, 'the clock of the agent is an hour behind');
  assert.equal(await measuredMs(-3_600_000, 3_600_000), nowMs, 'or an hour ahead');
  assert.equal(await measuredMs(-5000, 0), nowMs, 'and nothing is of later than now');
});
