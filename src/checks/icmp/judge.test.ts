import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../core/failure.ts';
import { icmp } from './icmp.ts';
import { judge } from './judge.ts';
import { EchoTally } from './tally.ts';

/** A run of two packets that took 10 and 42 ms: mean 26 ms, jitter 2 ms. */
function judged(limits: Record<string, unknown>) {
  const tally = new EchoTally();
  for (const [sequence, rttMs] of [10, 42].entries()) {
    tally.countSent();
    tally.countAnswer({ kind: 'reply', sequence, from: '192.0.2.1', rttMs, ttl: 60, duplicate: false });
  }
  const options = icmp.options.parse({ host: '192.0.2.1', ...limits });
  const metrics = tally.metrics();
  try {
    const measured = { metrics, latencyMs: metrics['rttAvgMs'] };
    const { status, reason, message } = judge(tally, options, { address: '192.0.2.1', measured });
    return { status, reason, message };
  } catch (error) {
    assert.ok(error instanceof Failure);
    const { status, reason, message } = error.toOutcome();
    return { status, reason, message };
  }
}

const up = { status: 'up', reason: undefined, message: 'ping: 26.00 ms, none of 2 packets lost' };
const cases = [
  ['without limits an answer is up', {}, up],
  ['figures below the limits are up', { degraded: { latency: '27ms', jitter: '3ms', loss: 1 } }, up],
  [
    'a mean round trip at the limit is degraded',
    { degraded: { latency: '26ms' } },
    { status: 'degraded', reason: 'threshold', message: 'The mean round trip took 26.00 ms (degraded from 26ms).' },
  ],
  [
    'jitter at the limit is degraded',
    { degraded: { jitter: '2ms' } },
    { status: 'degraded', reason: 'threshold', message: 'Jitter was 2.00 ms (degraded from 2ms).' },
  ],
  [
    'what is down is not only degraded',
    { degraded: { jitter: '1ms' }, down: { latency: '20ms' } },
    { status: 'down', reason: 'threshold', message: 'The mean round trip took 26.00 ms (down from 20ms).' },
  ],
] as const;

for (const [name, limits, expected] of cases) test(name, () => assert.deepEqual(judged(limits), expected));
