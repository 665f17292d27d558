import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Network } from '../../core/network.ts';
import { block } from '../../testing/busy.ts';
import { testContext } from '../../testing/context.ts';
import { enterOwnNetwork, silentAddress } from '../../testing/netlab.ts';
import { stand } from '../../testing/stand.ts';
import { checkContract } from '../check.contract.ts';
import { icmp } from './icmp.ts';

const skip = await enterOwnNetwork();
const run = (options: Record<string, unknown>) => icmp.run(icmp.options.parse(options), testContext());

if (!skip) {
  checkContract(icmp, {
    answering: async () => stand({ host: '127.0.0.1' }, () => {}),
    silent: async () => stand({ host: silentAddress }, () => {}),
  });
}

test('a host that answers is up, with its round trip as the latency', { skip }, async () => {
  const outcome = await run({ host: '127.0.0.1' });
  assert.equal(outcome.status, 'up', outcome.message);
  assert.match(outcome.message, /^ping: \d+\.\d\d ms$/);
  assert.equal(outcome.latencyMs, outcome.metrics['rttAvgMs']);
  assert.equal(outcome.metrics['ttl'], 64);
});

test('a silent host is down with a timeout when the wait is over', { skip }, async () => {
  const outcome = await run({ host: silentAddress, count: 3, interval: '10ms', wait: '50ms' });
  assert.equal(outcome.status, 'down');
  assert.equal(outcome.reason, 'timeout');
  assert.equal(outcome.message, '10.91.0.9 did not answer any of 3 packets within 50ms.');
  assert.equal(outcome.metrics['lossPercent'], 100);
});

test('the family decides which address of a name is pinged', { skip }, async () => {
  assert.equal((await run({ host: 'localhost', family: '4' })).detail['address'], '127.0.0.1');
  assert.equal((await run({ host: 'localhost', family: '6' })).detail['address'], '::1');
});

test('each answer is told as it comes', { skip }, async () => {
  const told: string[] = [];
  const options = icmp.options.parse({ host: '127.0.0.1', count: 2, interval: '10ms' });
  await icmp.run(options, testContext({ onProgress: ({ text }) => void told.push(text) }));
  assert.equal(told.length, 2);
  for (const [index, text] of told.entries())
    assert.match(text, new RegExp(`^${index + 1} of 2: \\d+\\.\\d\\d ms from 127\\.0\\.0\\.1, TTL 64$`));
});

test('a deadline in the middle says how many packets were answered', { skip }, async () => {
  const options = icmp.options.parse({ host: '127.0.0.1', count: 100, interval: '1s' });
  const controller = new AbortController();
  const onProgress = (): void => controller.abort(new DOMException('No answer within 1 s.', 'TimeoutError'));
  const outcome = await icmp.run(options, testContext({ signal: controller.signal, onProgress }));
  assert.equal(outcome.reason, 'timeout');
  assert.equal(
    outcome.message,
    'No answer within 1 s. 1 of 1 packets were answered; 99 more could not be sent in time.',
  );
  assert.equal(outcome.metrics['received'], 1);
});

test(
  'CH4: stopped after some answers the outcome is their verdict, and the packet on its way does not count',
  { skip },
  async () => {
    for (const count of [0, 500]) {
      const controller = new AbortController();
      let answers = 0;
      const onProgress = (): void =>
        void (++answers === 3 && controller.abort(new DOMException('Stop.', 'AbortError')));
      const options = icmp.options.parse({ host: '127.0.0.1', count, interval: '10ms' });
      const outcome = await icmp.run(options, testContext({ signal: controller.signal, onProgress }));
      assert.equal(outcome.status, 'up', outcome.message);
      assert.equal(outcome.metrics['received'], 3);
      assert.equal(outcome.metrics['lossPercent'], 0);
    }
  },
);

test(
  'CH4: stopped with nothing answered a host is down, unless its first packet is still on its way',
  { skip },
  async () => {
    for (const [sent, expected] of [
      [1, ['unknown', 'cancelled', 0]],
      [4, ['down', 'timeout', 3]],
    ] as const) {
      const controller = new AbortController();
      const net = countingSends(testContext().net, (count) => {
        if (count === sent) setImmediate(() => controller.abort(new DOMException('Stop.', 'AbortError')));
      });
      const options = icmp.options.parse({ host: silentAddress, count: 0, interval: '10ms' });
      const { status, reason, metrics } = await icmp.run(options, testContext({ net, signal: controller.signal }));
      assert.deepEqual([status, reason, metrics['sent']], expected);
    }
  },
);

test(
  'CH4: an answer that has come, and that the event loop has not read when it is stopped, counts',
  { skip },
  async () => {
    const controller = new AbortController();
    const net = countingSends(testContext().net, () => {
      block(50);
      controller.abort(new DOMException('Stop.', 'AbortError'));
    });
    const options = icmp.options.parse({ host: '127.0.0.1', count: 0 });
    const { status, metrics } = await icmp.run(options, testContext({ net, signal: controller.signal }));
    assert.deepEqual([status, metrics['sent'], metrics['received']], ['up', 1, 1]);
  },
);

/** The network, telling of each packet sent how many were. */
function countingSends(net: Network, onSend: (count: number) => void): Network {
  return {
    ...net,
    async openQueries(target, options) {
      const channel = await net.openQueries(target, options);
      let count = 0;
      return {
        ...channel,
        send(sequence, ttl) {
          channel.send(sequence, ttl);
          onSend(++count);
        },
      };
    },
  };
}

test('SI1: without a route the outcome is unknown, and the agent is to blame', { skip }, async () => {
  const outcome = await run({ host: '198.51.100.1' });
  assert.equal(outcome.status, 'unknown');
  assert.equal(outcome.source, 'agent');
  assert.equal(outcome.reason, 'unreachable', outcome.message);
});

test('nothing is sent to an address that the egress policy denies, nor to a broadcast address', { skip }, async () => {
  for (const host of ['169.254.169.254', '127.255.255.255']) {
    const outcome = await run({ host });
    assert.equal(outcome.status, 'unknown');
    assert.equal(outcome.reason, 'denied', outcome.message);
  }
});

test('a process that has pinged ends by itself', { skip }, async () => {
  const check = new URL('icmp.ts', import.meta.url).href;
  const context = new URL('../../testing/context.ts', import.meta.url).href;
  const script = `const { icmp } = await import('${check}'); const { testContext } = await import('${context}');
    const { status } = await icmp.run(icmp.options.parse({ host: '127.0.0.1' }), testContext()); console.log(status);`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 20_000 });
  assert.equal(stdout.trim(), 'up');
});
