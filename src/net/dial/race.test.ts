import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../core/failure.ts';
import type { Address } from '../../core/network.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { firstToAnswer } from './race.ts';

const [one, two, three] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((ip): Address => ({ ip, family: 4 })) as [
  Address,
  Address,
  Address,
];

/** A race whose attempts the test decides. */
function race(addresses: readonly Address[], signal = new AbortController().signal) {
  const clock = new FakeClock();
  const started: string[] = [];
  const discarded: string[] = [];
  const attempts = new Map<string, PromiseWithResolvers<string> & { signal: AbortSignal }>();
  const result = firstToAnswer(addresses, {
    clock,
    signal,
    doing: 'Connecting to web.test:80',
    attempt({ ip }, attemptSignal) {
      started.push(ip);
      const attempt = { ...Promise.withResolvers<string>(), signal: attemptSignal };
      attempts.set(ip, attempt);
      attemptSignal.addEventListener('abort', () => attempt.reject(attemptSignal.reason));
      return attempt.promise;
    },
    discard: (value) => void discarded.push(value),
  });
  result.catch(() => {});
  const of = ({ ip }: Address) => {
    const attempt = attempts.get(ip);
    assert.ok(attempt, `${ip} was not tried`);
    return attempt;
  };
  return { clock, started, discarded, of, result };
}

const refused = new Failure('refused', 'refused');
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('several addresses', () => {
  test('CH1: an address that refuses is followed by the next one at once', async () => {
    const { started, of, result, clock } = race([one, two]);
    of(one).reject(refused);
    await settled();
    assert.deepEqual(started, [one.ip, two.ip]);
    of(two).resolve('two');
    assert.deepEqual(await result, {
      value: 'two',
      address: two,
      tried: [
        { address: one.ip, reason: 'refused', ms: 0 },
        { address: two.ip, reason: null, ms: 0 },
      ],
    });
    assert.equal(clock.pending, 0);
  });

  test('CH1: beside a silent one the next is tried after 250 ms, and the first that answers wins', async () => {
    const { started, of, result, clock } = race([one, two, three]);
    await clock.advance(249);
    assert.deepEqual(started, [one.ip]);
    await clock.advance(1);
    assert.deepEqual(started, [one.ip, two.ip]);
    await clock.advance(250);
    assert.deepEqual(started, [one.ip, two.ip, three.ip]);
    await clock.advance(10);
    of(two).resolve('two');
    const { tried } = await result;
    assert.deepEqual(tried, [
      { address: one.ip, reason: 'timeout', ms: 510 },
      { address: two.ip, reason: null, ms: 260 },
      { address: three.ip, reason: 'cancelled', ms: 10 },
    ]);
    assert.ok(of(one).signal.aborted && of(three).signal.aborted);
    assert.equal(clock.pending, 0);
  });

  test('what answers after the winner is discarded, also in the same turn', async () => {
    const { of, result, clock, discarded } = race([one, two]);
    await clock.advance(250);
    of(two).resolve('two');
    of(one).resolve('one');
    assert.equal((await result).value, 'two');
    await settled();
    assert.deepEqual(discarded, ['one']);
  });

  test('the first alone leaves nothing to tell', async () => {
    const { of, result, clock } = race([one, two]);
    of(one).resolve('one');
    assert.deepEqual(await result, { value: 'one', address: one });
    assert.equal(clock.pending, 0);
  });

  test('CB21: when none answers the failure tells of each, and its reason is what the target itself said', async () => {
    const { of, result } = race([one, two, three]);
    of(one).reject(new Failure('unreachable', 'no route', { as: { status: 'unknown', source: 'agent' } }));
    await settled();
    of(two).reject(refused);
    await settled();
    of(three).reject(new Failure('unreachable', 'says a router'));
    const error = await result.catch((reason: unknown) => reason);
    assert.ok(error instanceof Failure);
    const { status, reason, source, detail, message } = error.toOutcome();
    assert.deepEqual([status, reason, source], ['down', 'refused', 'target']);
    assert.equal(
      message,
      `Connecting to web.test:80: ${one.ip} cannot be reached; ${two.ip} refused; ${three.ip} cannot be reached (0 of 3).`,
    );
    assert.deepEqual(detail['tried'], [
      { address: one.ip, reason: 'unreachable', ms: 0 },
      { address: two.ip, reason: 'refused', ms: 0 },
      { address: three.ip, reason: 'unreachable', ms: 0 },
    ]);
  });

  test('when nothing could leave this machine the target is not blamed', async () => {
    const { of, result } = race([one, two]);
    const noRoute = new Failure('unreachable', 'no route', { as: { status: 'unknown', source: 'agent' } });
    of(one).reject(noRoute);
    await settled();
    of(two).reject(noRoute);
    const error = await result.catch((reason: unknown) => reason);
    assert.ok(error instanceof Failure);
    assert.equal(error.toOutcome().status, 'unknown');
  });

  test('an error that is no failure of the network ends the race', async () => {
    const { of, result, started } = race([one, two]);
    of(one).reject(new TypeError('a bug'));
    await assert.rejects(result, TypeError);
    assert.deepEqual(started, [one.ip]);
  });
});

describe('the end of the run', () => {
  test('a race begins no attempt after it, and none at all if it was over before', async () => {
    const run = new AbortController();
    const { started, of, result, clock } = race([one, two], run.signal);
    run.abort(new DOMException('No answer within 1s.', 'TimeoutError'));
    of(one).reject(new Failure('timeout', 'No answer', { cause: run.signal.reason }));
    await assert.rejects(result);
    assert.deepEqual(started, [one.ip]);
    assert.equal(clock.pending, 0);
    const late = race([one, two], run.signal);
    await assert.rejects(late.result, { name: 'TimeoutError' });
    assert.deepEqual(late.started, []);
  });
});
