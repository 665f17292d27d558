import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueryAnswer } from '../../core/network.ts';
import { EchoTally } from './tally.ts';

function tallyOf(sent: number, replies: readonly (readonly [sequence: number, rttMs: number])[]): EchoTally {
  const tally = new EchoTally();
  for (let packet = 0; packet < sent; packet++) tally.countSent();
  const seen = new Set<number>();
  for (const [sequence, rttMs] of replies) {
    const answer: QueryAnswer = {
      kind: 'reply',
      sequence,
      from: '192.0.2.1',
      rttMs,
      ttl: 60,
      duplicate: seen.has(sequence),
    };
    seen.add(sequence);
    tally.countAnswer(answer);
  }
  return tally;
}

test('loss is what was sent and not answered', () => {
  const tally = tallyOf(4, [
    [0, 1],
    [2, 1],
    [3, 1],
  ]);
  assert.equal(tally.metrics()['lossPercent'], 25);
  assert.equal(tally.isSettled, false);
});

test('round trips give minimum, mean, maximum and standard deviation', () => {
  const roundTripsMs = [2, 4, 4, 4, 5, 5, 7, 9];
  const tally = tallyOf(
    8,
    roundTripsMs.map((rttMs, sequence) => [sequence, rttMs]),
  );
  const { rttMinMs, rttAvgMs, rttMaxMs, rttStddevMs } = tally.metrics();
  assert.deepEqual(
    { rttMinMs, rttAvgMs, rttMaxMs, rttStddevMs },
    { rttMinMs: 2, rttAvgMs: 5, rttMaxMs: 9, rttStddevMs: 2 },
  );
});

test('jitter follows RFC 3550: each difference moves it by a sixteenth', () => {
  // |10-26| = 16: 0 + 16/16 = 1; |26-9| = 17: 1 + (17-1)/16 = 2.
  const tally = tallyOf(3, [
    [0, 10],
    [1, 26],
    [2, 9],
  ]);
  assert.equal(tally.metrics()['jitterMs'], 2);
  assert.equal(tallyOf(1, [[0, 10]]).metrics()['jitterMs'], undefined);
});

test('an answer that a later packet overtook is reordered, a second one is a duplicate', () => {
  const metrics = tallyOf(3, [
    [0, 1],
    [2, 1],
    [1, 9],
    [2, 3],
  ]).metrics();
  assert.equal(metrics['reordered'], 1);
  assert.equal(metrics['duplicates'], 1);
  assert.equal(metrics['received'], 3);
});

test('without an answer nothing is said of round trips', () => {
  assert.deepEqual(tallyOf(2, []).metrics(), { sent: 2, received: 0, lossPercent: 100, reordered: 0, duplicates: 0 });
  assert.deepEqual(tallyOf(0, []).metrics(), { sent: 0, received: 0, reordered: 0, duplicates: 0 });
});

test('CK7: each round trip is shown to a person who looks, if there are several packets', () => {
  const several = tallyOf(3, [
    [0, 1.23456],
    [2, 2],
  ]);
  assert.deepEqual(several.detail({ wantsFullDetail: true })['rttsMs'], [1.235, null, 2]);
  assert.deepEqual(several.detail({ wantsFullDetail: false }), {});
  assert.deepEqual(tallyOf(1, [[0, 1]]).detail({ wantsFullDetail: true }), {});
});
