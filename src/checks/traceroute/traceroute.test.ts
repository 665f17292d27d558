import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testContext } from '../../testing/context.ts';
import { enterOwnNetwork, silentAddress } from '../../testing/netlab.ts';
import { stand } from '../../testing/stand.ts';
import { tcpServer } from '../../testing/tcp-server.ts';
import { checkContract } from '../check.contract.ts';
import { traceroute } from './traceroute.ts';

const skip = await enterOwnNetwork();
const run = (options: Record<string, unknown>) => traceroute.run(traceroute.options.parse(options), testContext());

if (!skip) {
  checkContract(traceroute, {
    answering: async () => stand({ host: '127.0.0.1' }, () => {}),
    silent: async () => stand({ host: silentAddress }, () => {}),
  });
}

describe('a target next door is reached in one hop', { skip }, () => {
  for (const host of ['127.0.0.1', '::1']) {
    for (const protocol of ['icmp', 'udp', 'tcp']) {
      test(`by ${protocol} to ${host}`, async () => {
        const outcome = await run({ host, protocol });
        assert.equal(outcome.status, 'up', outcome.message);
        assert.equal(outcome.metrics['hops'], 1);
        assert.equal(outcome.metrics['lossPercent'], 0);
        assert.match(outcome.message, /reached in 1 hop: \d+\.\d\d ms$/);
      });
    }
  }

  test('by a TCP port that is open', async () => {
    await using server = await tcpServer();
    const outcome = await run({ host: server.host, port: server.port, protocol: 'tcp' });
    assert.equal(outcome.status, 'up', outcome.message);
  });
});

test('a path of silent hops says that nobody answered', { skip }, async () => {
  const outcome = await run({ host: silentAddress, maxHops: 30, queries: 2, wait: '50ms', parallel: 30 });
  assert.equal(outcome.status, 'down');
  assert.equal(outcome.reason, 'timeout');
  assert.equal(outcome.source, 'path');
  assert.equal(outcome.message, `${silentAddress} was not reached in 30 hops. No hop answered.`);
});

test('a deadline in the middle says how far the trace came', { skip }, async () => {
  const signal = AbortSignal.timeout(100);
  const options = traceroute.options.parse({ host: silentAddress, firstHop: 5 });
  const outcome = await traceroute.run(options, testContext({ signal }));
  assert.equal(outcome.reason, 'timeout');
  assert.match(outcome.message, /No hop answered\.$/);
  assert.ok(Array.isArray(outcome.detail['hops']));
});

test('nothing is sent to an address that the egress policy denies', { skip }, async () => {
  const outcome = await run({ host: '169.254.169.254' });
  assert.equal(outcome.reason, 'denied');
  assert.equal(outcome.status, 'unknown');
});

test('SI1: without a route the outcome is unknown, and the agent is to blame', { skip }, async () => {
  for (const protocol of ['icmp', 'udp', 'tcp']) {
    const outcome = await run({ host: '198.51.100.1', protocol });
    assert.equal(outcome.status, 'unknown');
    assert.equal(outcome.reason, 'unreachable', outcome.message);
    assert.equal(outcome.source, 'agent');
    assert.match(outcome.message, /this machine has no route there \(ENETUNREACH\)/);
  }
});

test('a first hop behind the last is refused with the options', () => {
  const { error } = traceroute.options.safeParse({ host: '127.0.0.1', firstHop: 5, maxHops: 4 });
  assert.equal(error?.issues[0]?.message, 'expected firstHop to be at most maxHops');
});
