import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckContext } from '../../core/check.ts';
import type { QueryChannel, QueryTarget } from '../../core/network.ts';
import { testContext } from '../../testing/context.ts';
import { traceroute } from './traceroute.ts';
import { fallbackOf, openProbeChannel } from './probe-channel.ts';

/** Channels are only opened and closed; `via` says by what the kernel lets this user send. */
function contextWith(via: Readonly<Record<string, QueryChannel['via']>>) {
  const opened: QueryTarget[] = [];
  let closed = 0;
  const context: CheckContext = testContext();
  const openQueries = async (target: QueryTarget): Promise<QueryChannel> => {
    opened.push(target);
    return {
      address: { ip: '192.0.2.1', family: 4 },
      resolveMs: 0,
      via: via[target.protocol] ?? 'raw',
      send: () => {},
      [Symbol.dispose]: () => void closed++,
    };
  };
  return { context: { ...context, net: { ...context.net, openQueries } }, opened, closed: () => closed };
}

const optionsOf = (given: object) => traceroute.options.parse({ host: 'a.test', ...given });

test('CH5: where only the socket of ping may be opened, UDP is used instead, and said', async () => {
  const { context, opened, closed } = contextWith({ icmp: 'ping', udp: 'udp' });
  const options = optionsOf({});
  const channel = await openProbeChannel(options, context, () => {});
  assert.deepEqual(opened, [
    { protocol: 'icmp', host: 'a.test' },
    { protocol: 'udp', host: 'a.test', port: 33_434 },
  ]);
  assert.equal(closed(), 1);
  assert.match(fallbackOf(options, channel) ?? '', /^by UDP, because/);
});

test('a protocol that was asked for is never replaced', async () => {
  const { context, closed } = contextWith({ icmp: 'ping' });
  await assert.rejects(
    openProbeChannel(optionsOf({ protocol: 'icmp' }), context, () => {}),
    { reason: 'unsupported' },
  );
  assert.equal(closed(), 1);
});

test('each protocol has its usual port, unless another is given', async () => {
  for (const [given, target] of [
    [{ protocol: 'icmp' }, { protocol: 'icmp', host: 'a.test' }],
    [{ protocol: 'udp' }, { protocol: 'udp', host: 'a.test', port: 33_434 }],
    [{ protocol: 'tcp' }, { protocol: 'tcp', host: 'a.test', port: 80 }],
    [
      { protocol: 'tcp', port: 443 },
      { protocol: 'tcp', host: 'a.test', port: 443 },
    ],
  ] as const) {
    const { context, opened, closed } = contextWith({});
    const options = optionsOf(given);
    assert.equal(fallbackOf(options, await openProbeChannel(options, context, () => {})), undefined);
    assert.deepEqual([opened, closed()], [[target], 0]);
  }
});
