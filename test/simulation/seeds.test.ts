import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simulate } from '../../src/testing/simulator/simulate.ts';

/** Short, with all kinds of trouble close together; `npm run simulate` goes on with others, and for hours. */
const options = { hours: 0, minutes: { trouble: 4, rest: 2 }, faultEveryMs: 4000 };
const seeds = Array.from({ length: 6 }, (_, index) => 1000 + index);

describe('no seed brings a finding', () => {
  for (const seed of seeds) {
    test(`seed ${seed}`, async () => {
      const { findings, faults } = await simulate({ ...options, seed });
      assert.deepEqual(findings, []);
      assert.ok(faults.size > 10, `only ${faults.size} kinds of faults`);
    });
  }
});
