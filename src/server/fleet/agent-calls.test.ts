import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProtocolError } from '../../protocol/frames.ts';
import type { Dialler, Line } from '../../protocol/line.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import type { Arrival } from '../gateway/gateway.ts';
import { AgentCalls, type CalledAgent } from './agent-calls.ts';

type Call = { readonly url: string; readonly events: Parameters<Dialler['dial']>[2]; isGivenUp: boolean };

/** Calls that the test answers; the jitter is nearly the whole spread. */
function callsOf() {
  const clock = new FakeClock();
  const made: Call[] = [];
  const said: string[] = [];
  const arrivals: Arrival[] = [];
  const lives: PromiseWithResolvers<Error | undefined>[] = [];
  let terminated = 0;
  const line = { terminate: () => terminated++ } as unknown as Line;
  const calls = new AgentCalls({
    clock,
    random: () => 0.5,
    dialler: {
      dial(url, _limitMs, events) {
        const call: Call = { url: String(url), events, isGivenUp: false };
        made.push(call);
        return () => (call.isGivenUp = true);
      },
    },
    adopt(_line, arrival) {
      arrivals.push(arrival);
      const life = Promise.withResolvers<Error | undefined>();
      lives.push(life);
      return life.promise;
    },
    onUnreachable: ({ name }, why) => said.push(`${name}: ${why}`),
  });
  return { calls, clock, made, said, arrivals, lives, line, terminated: () => terminated };
}

const seat: CalledAgent = { name: 'seat-17', address: { host: '192.0.2.1', port: 7412 } };

describe('an agent that is called', () => {
  test('is called over TLS beyond this machine, and by what the configuration calls it', () => {
    const { calls, made, arrivals, line } = callsOf();
    calls.reconcile([seat, { name: 'here', address: { host: '::1', port: 7413 } }]);
    assert.deepEqual(
      made.map(({ url }) => url),
      ['wss://192.0.2.1:7412/agent', 'ws://[::1]:7413/agent'],
    );
    made[0]?.events.onOpen(line);
    const [arrival] = arrivals;
    assert.deepEqual(
      [arrival?.address, arrival?.expectedName, arrival?.pairing],
      ['192.0.2.1:7412', 'seat-17', undefined],
    );
  });

  test('is called again until it answers, and its silence is said once', async () => {
    const { calls, clock, made, said, line, lives } = callsOf();
    calls.reconcile([seat]);
    made[0]?.events.onFailed(new Error('refused'));
    await clock.advance(2499);
    assert.equal(made.length, 1);
    await clock.advance(1);
    assert.equal(made.length, 2);
    made[1]?.events.onFailed(new Error('refused'));
    assert.deepEqual(said, ['seat-17: refused']);
    await clock.advance(2500);
    made[2]?.events.onOpen(line);
    lives[0]?.resolve(undefined);
    await clock.advance(0);
    assert.deepEqual(said, ['seat-17: refused', 'seat-17: it closed the line']);
  });

  test('a call that took its time in vain is made again without another pause', async () => {
    const { calls, clock, made } = callsOf();
    calls.reconcile([seat]);
    await clock.advance(5000);
    made[0]?.events.onFailed(new Error('no answer'));
    await clock.advance(0);
    assert.equal(made.length, 2);
  });

  for (const [why, error, pauseMs] of [
    ['what only a person can mend', new ProtocolError('unknown-agent', 'x'), 15_000],
    ['what passes', new ProtocolError('unavailable', 'x'), 2500],
  ] as const)
    test(`after ${why} it is called again in ${pauseMs} ms`, async () => {
      const { calls, clock, made, line, lives } = callsOf();
      calls.reconcile([seat]);
      made[0]?.events.onOpen(line);
      lives[0]?.resolve(error);
      await clock.advance(pauseMs - 1);
      assert.equal(made.length, 1);
      await clock.advance(1);
      assert.equal(made.length, 2);
    });

  test('that is in the configuration no more has its call given up and its line ended, and others keep theirs', async () => {
    const { calls, clock, made, line, lives, terminated } = callsOf();
    const other: CalledAgent = { ...seat, name: 'other' };
    calls.reconcile([seat, other]);
    made[0]?.events.onOpen(line);
    calls.reconcile([{ ...other }]);
    assert.deepEqual([terminated(), made.length, made[1]?.isGivenUp], [1, 2, false]);
    lives[0]?.resolve(undefined);
    await clock.advance(60_000);
    assert.equal(made.length, 2);
    calls.reconcile([]);
    assert.equal(made[1]?.isGivenUp, true);
    made[1]?.events.onFailed(new Error('given up'));
    assert.equal(clock.pending, 0);
  });
});
