import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { defaultTimeoutOf, defineCheck, plannedTimeOf, type CheckContext, type CheckType } from './check.ts';
import { Failure } from './failure.ts';
import { up } from './outcome.ts';
import { FakeClock } from '../testing/fake-clock.ts';

const plain = {
  type: 'pings',
  title: 'Pings',
  summary: 'Sends packets.',
  options: z.strictObject({ count: z.int() }),
  metrics: [],
  defaultTimeoutMs: 10_000,
  asks: [],
  targetSyntax: '',
  fromTarget: () => ({}),
  targetOf: () => '',
  run: () => Promise.resolve(up('')),
};
const quick: CheckType = defineCheck(plain);
/** Sends `count` packets a second apart and waits 3 s for the last answer. */
const pings: CheckType = {
  ...quick,
  sendingMs: ({ count }) => (Number(count) - 1) * 1000,
  plannedMs: ({ count }) => (Number(count) - 1) * 1000 + 3000,
};

describe('CH3: the default timeout ends a run in time for the next', () => {
  const cases: readonly (readonly [what: string, count: number, intervalMs: number | undefined, timeoutMs: number])[] =
    [
      ['by hand: all of the plan, and the timeout of the type', 5, undefined, 17_000],
      ['a long interval changes nothing', 5, 60_000, 17_000],
      ['0.8 of a short interval', 1, 10_000, 8000],
      ['a wait for silence is cut by a very short one', 1, 1000, 800],
      ['packets that need most of the interval are not cut', 9, 10_000, 21_000],
      ['nor packets that need more than it', 20, 10_000, 32_000],
      ['an endless run has no end', Infinity, undefined, Infinity],
    ];
  for (const [what, count, intervalMs, timeoutMs] of cases) {
    test(what, () => assert.equal(defaultTimeoutOf(pings, { count }, intervalMs), timeoutMs));
  }

  test('a type without a plan has none', () => {
    assert.equal(plannedTimeOf(quick, {}), 0);
    assert.equal(defaultTimeoutOf(quick, {}, 2000), 1600);
  });
});

test('MU23: after the deadline the end of our own sockets is not the verdict', async () => {
  const late = new DOMException('No answer within 1s.', 'TimeoutError');
  const context = { signal: AbortSignal.abort(late), clock: new FakeClock() };
  for (const thrown of [new Failure('reset', 'the other side reset'), new Error('socket hang up')]) {
    const check = defineCheck({ ...plain, run: () => Promise.reject(thrown) });
    // The run fails before it needs the network.
    const outcome = await check.run({ count: 1 }, context as unknown as CheckContext);
    assert.deepEqual([outcome.status, outcome.reason, outcome.message], ['down', 'timeout', 'No answer within 1s.']);
  }
  const told = new Failure('timeout', 'Waiting for the banner: No answer within 1s.', { cause: late });
  const check = defineCheck({ ...plain, run: () => Promise.reject(told) });
  const outcome = await check.run({ count: 1 }, context as unknown as CheckContext);
  assert.equal(outcome.message, told.message);
});
