import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runVariant } from './run-variants.ts';
import { variants } from './variants.ts';

/** All others, and these with seeds that are not known to find them: `npm run simulate -- --broken all`. */
describe('the simulator notices a module that is broken on purpose', () => {
  for (const [index, { name, seed }] of variants.entries()) {
    if (seed === undefined) continue;
    test(name, () => {
      const { found, error } = runVariant(index, { seed, seconds: 1 });
      assert.equal(error, '');
      assert.notEqual(found, null, `seed ${seed} does not find it any more: npm run simulate -- --broken ${index}`);
    });
  }
});
