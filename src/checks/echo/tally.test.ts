import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EchoTally, type Tally } from './tally.ts';

/** Sends five messages at 0, 1, 2 … ms; then hears these, 10 ms after the first was sent, 11, 12 … */
function tallyOf(replies: readonly string[]): Tally {
  const tally = new EchoTally();
  for (const [index, text] of ['a', 'b', 'c', 'd', 'e'].entries()) tally.send(Buffer.from(text), index);
  for (const [index, text] of replies.entries()) tally.hear(Buffer.from(text), 10 + index);
  return tally.result();
}

const table = [
  ['abcde', { received: 5, lost: 0, lossPercent: 0, duplicates: 0, reordered: 0, corrupted: 0 }],
  ['acde', { received: 4, lost: 1, lossPercent: 20, duplicates: 0, reordered: 0, corrupted: 0 }],
  ['abbcdde', { received: 5, lost: 0, lossPercent: 0, duplicates: 2, reordered: 0, corrupted: 0 }],
  ['bacde', { received: 5, lost: 0, lossPercent: 0, duplicates: 0, reordered: 1, corrupted: 0 }],
  ['eabcd', { received: 5, lost: 0, lossPercent: 0, duplicates: 0, reordered: 4, corrupted: 0 }],
  ['abxde', { received: 4, lost: 1, lossPercent: 20, duplicates: 0, reordered: 0, corrupted: 1 }],
  ['', { received: 0, lost: 5, lossPercent: 100, duplicates: 0, reordered: 0, corrupted: 0 }],
] as const;

for (const [replies, expected] of table) {
  test(`abcde answered by ${replies || 'nothing'} is counted right`, () => {
    const { received, lost, lossPercent, duplicates, reordered, corrupted } = tallyOf(replies.split(''));
    assert.deepEqual({ received, lost, lossPercent, duplicates, reordered, corrupted }, expected);
  });
}

test('each round trip is from its own message, and a duplicate has none', () => {
  assert.deepEqual(tallyOf(['b', 'b', 'a']).rttsMs, [9, 12]);
});

test('nothing sent is nothing lost', () => {
  assert.equal(new EchoTally().result().lossPercent, 0);
});
