import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simulate } from '../../src/testing/simulator/simulate.ts';

/** Chosen by nobody: whatever these seeds bring must be withstood. `npm run simulate` goes on with others. */
const seeds = Array.from({ length: 8 }, (_, index) => 1 + index);

describe('no seed brings a finding', () => {
  for (const seed of seeds) {
    test(`npm run simulate -- --seed ${seed} --hours 1`, async () => {
      const { findings, faults } = await simulate({ seed, hours: 1 });
      assert.deepEqual(findings, []);
      assert.ok(faults.size > 20, `only ${faults.size} kinds of faults`);
    });
  }
});
