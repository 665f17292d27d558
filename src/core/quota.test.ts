import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { Quota } from './quota.ts';

describe('a quota', () => {
  test('takes a burst without a wait, and then as much as comes back in time', async () => {
    const clock = new FakeClock();
    const quota = new Quota(clock, { burst: 100, perSecond: 10 });
    assert.equal(quota.take(100), 0);
    assert.equal(quota.take(5), 500);
    await clock.advance(500);
    assert.equal(quota.take(10), 1000);
  });

  test('never saves up more than a burst', async () => {
    const clock = new FakeClock();
    const quota = new Quota(clock, { burst: 100, perSecond: 10 });
    await clock.advance(3_600_000);
    assert.equal(quota.take(110), 1000);
  });
});
