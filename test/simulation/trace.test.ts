import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../../src/testing/simulator/simulate.ts';

const seeds = Array.from({ length: 20 }, (_, index) => 1000 + index);
/** Short, with all kinds of trouble close together. */
const options = { hours: 0, minutes: { trouble: 4, rest: 2 }, faultEveryMs: 4000 };

test('the same seed gives the same trace, and another seed another', async () => {
  const hashes: string[] = [];
  for (const seed of seeds) {
    const [first, second] = [await simulate({ ...options, seed }), await simulate({ ...options, seed })];
    assert.equal(first.traceHash, second.traceHash, `seed ${seed}`);
    hashes.push(first.traceHash);
  }
  assert.equal(new Set(hashes).size, seeds.length);
});
