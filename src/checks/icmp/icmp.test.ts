import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  assert.equal(outcome.latencyMs, outcome.metrics['avgMs']);
  assert.equal(outcome.metrics['ttl'], 64);
});

test('a silent host is down with a timeout when the wait is over', { skip }, async () => {
  const outcome = await run({ host: silentAddress, count: 3, interval: '10ms', wait: '50ms' });
  assert.equal(outcome.status, 'down');
  assert.equal(outcome.reason, 'timeout');
  assert.equal(outcome.message, '10.91.0.9 did not answer any of 3 packets within 50ms.');
  assert.equal(outcome.metrics['lossPercent'], 100);
});
