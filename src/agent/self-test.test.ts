import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { arpKnows, defaultGateway } from './health-checks.ts';
import { SelfTest } from './self-test.ts';

const noDelay = { enable() {}, disable() {}, reset() {}, maxMs: 0 };

/** A self-test of one part that is as well as the test says. */
function testOf(state: { message: string | undefined }): { selfTest: SelfTest; clock: FakeClock } {
  const clock = new FakeClock();
  const selfTest = new SelfTest({ clock, delay: noDelay, checks: { resolver: async () => state.message } });
  selfTest.start();
  return { selfTest, clock };
}

describe('the self-test', () => {
  test('calls the agent impaired when what worked has failed twice, and well when it works again', async () => {
    const state: { message: string | undefined } = { message: undefined };
    const { selfTest, clock } = testOf(state);
    await clock.advance(1000);
    state.message = 'no resolver answers';
    await clock.advance(15_000);
    assert.deepEqual(selfTest.health().impaired, []);
    await clock.advance(15_000);
    assert.deepEqual(selfTest.health().impaired, [{ part: 'resolver', message: 'no resolver answers' }]);
    state.message = undefined;
    await clock.advance(15_000);
    assert.deepEqual(selfTest.health().impaired, []);
    selfTest.stop();
    assert.equal(clock.pending, 0);
  });

  test('stopped in the middle of a round, it gives that up and begins no other', async () => {
    const clock = new FakeClock();
    const asked: AbortSignal[] = [];
    const untilAborted = (signal: AbortSignal): Promise<string> => {
      asked.push(signal);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve('was given up'), { once: true }));
    };
    const selfTest = new SelfTest({ clock, delay: noDelay, checks: { resolver: untilAborted } });
    selfTest.start();
    selfTest.stop();
    assert.ok(asked[0]?.aborted);
    await clock.advance(60_000);
    assert.equal(asked.length, 1);
    assert.equal(clock.pending, 0);
  });

  test('does not call an agent impaired for what never worked there', async () => {
    const { selfTest, clock } = testOf({ message: 'there is no default route' });
    await clock.advance(120_000);
    assert.deepEqual(selfTest.health().impaired, []);
    selfTest.stop();
  });
});

test('the default gateway is read from the kernel table', () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    'eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
  ].join('\n');
  assert.equal(defaultGateway(table), '192.168.1.1');
  assert.equal(defaultGateway(table.split('\n').slice(0, 2).join('\n')), undefined);
  assert.equal(defaultGateway(''), undefined);
});

test('a neighbour counts when its entry is complete', () => {
  const table = [
    'IP address       HW type     Flags       HW address            Mask     Device',
    '192.168.1.1      0x1         0x2         02:00:00:00:00:01     *        eth0',
    '192.168.1.7      0x1         0x0         00:00:00:00:00:00     *        eth0',
  ].join('\n');
  assert.ok(arpKnows(table, '192.168.1.1'));
  assert.ok(!arpKnows(table, '192.168.1.7'));
  assert.ok(!arpKnows(table, '192.168.1.9'));
});
