import assert from 'node:assert/strict';
import { test } from 'node:test';
import { icmp } from './icmp.ts';
import { pingVerdict } from './ping-verdict.ts';
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
  const measured = { metrics, latencyMs: metrics['rttAvgMs'] };
  const { status, reason, message } = pingVerdict(tally, options, { address: '192.0.2.1', measured });
  return { status, reason, message };
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

function lossVerdict(sent: number, received: number, limits: Record<string, unknown> = {}) {
  const tally = new EchoTally();
  for (let sequence = 0; sequence < sent; sequence++) tally.countSent();
  for (let sequence = 0; sequence < received; sequence++)
    tally.countAnswer({ kind: 'reply', sequence, from: '192.0.2.1', rttMs: 1, ttl: 60, duplicate: false });
  const options = icmp.options.parse({ host: '192.0.2.1', count: sent, ...limits });
  const { status, reason } = pingVerdict(tally, options, {
    address: '192.0.2.1',
    measured: { metrics: tally.metrics() },
  });
  return [status, reason];
}

// check_icmp warns from 40 % and is critical from 80 %.
const losses = [
  [5, 4, {}, ['up', undefined]],
  [5, 3, {}, ['degraded', 'loss']],
  [5, 2, {}, ['degraded', 'loss']],
  [5, 1, {}, ['down', 'loss']],
  [19, 12, {}, ['up', undefined]],
  [20, 20, {}, ['up', undefined]],
  [20, 19, {}, ['degraded', 'loss']],
  [100, 96, {}, ['up', undefined]],
  [100, 95, {}, ['degraded', 'loss']],
  [100, 51, {}, ['degraded', 'loss']],
  [100, 50, {}, ['down', 'loss']],
  // A limit that somebody set holds, whatever is usual.
  [20, 10, { degraded: { loss: 60 } }, ['up', undefined]],
  [20, 8, { degraded: { loss: 60 } }, ['degraded', 'loss']],
  [20, 19, { down: { loss: 5 } }, ['down', 'loss']],
  [20, 10, { down: { loss: 100 } }, ['degraded', 'loss']],
  // MU26: nothing is lost, so no limit of loss is reached.
  [4, 4, { degraded: { loss: 0 }, down: { loss: 0 } }, ['up', undefined]],
  [4, 3, { down: { loss: 0 } }, ['down', 'loss']],
] as const;

for (const [sent, received, limits, expected] of losses) {
  const set = Object.keys(limits).length === 0 ? '' : ` with ${JSON.stringify(limits)}`;
  test(`CH2: ${received} of ${sent} answered${set} is ${expected[0]}`, () =>
    assert.deepEqual(lossVerdict(sent, received, limits), expected));
}

test('MU17: an error that the target itself sent is blamed on the target, one of a router on the path', () => {
  for (const [from, source] of [
    ['192.0.2.1', 'target'],
    ['192.0.2.254', 'path'],
    [undefined, 'agent'],
  ] as const) {
    const tally = new EchoTally();
    tally.countSent();
    const error = { kind: 'unreachable', text: 'protocol unreachable' } as const;
    tally.countAnswer({ kind: 'error', sequence: 0, from, rttMs: 1, error });
    const options = icmp.options.parse({ host: '192.0.2.1' });
    const outcome = pingVerdict(tally, options, { address: '192.0.2.1', measured: {} });
    assert.equal(outcome.source, source);
    assert.equal(outcome.detail['reportedBy'], from ?? null);
  }
});
