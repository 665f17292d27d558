import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../../testing/random-from.ts';
import { StateHistory } from '../../testing/state-history.ts';

const histories = 10_000;

test(`C4: ${histories} random histories keep the invariants of telling`, () => {
  const seen = { sent: 0, held: 0, recovered: 0, unstable: 0, grouped: 0 };
  for (let seed = 1; seed <= histories; seed++) {
    const history = new StateHistory(randomFrom(seed));
    history.play(40);
    history.calmDown();
    assert.deepEqual(history.faults(), [], `seed ${seed}`);
    history.count(seen);
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 100, `${what} happened ${count} times only`);
});
