import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outcome } from '../../core/outcome.ts';
import { testContext } from '../../testing/context.ts';
import { stand } from '../../testing/stand.ts';
import { closedUdpPort, udpServer } from '../../testing/udp-server.ts';
import { checkContract } from '../check.contract.ts';
import { udp } from './udp.ts';

checkContract(udp, {
  async answering() {
    const server = await udpServer((datagram, reply) => reply(datagram));
    return stand({ host: server.host, port: server.port, payload: 'ping' }, () => server[Symbol.asyncDispose]());
  },
  async silent() {
    const server = await udpServer();
    return stand({ host: server.host, port: server.port }, () => server[Symbol.asyncDispose]());
  },
});

function check(options: object, deadlineMs = 2000): Promise<Outcome> {
  const signal = AbortSignal.timeout(deadlineMs);
  return udp.run(udp.options.parse({ host: '127.0.0.1', ...options }), testContext({ signal }));
}

describe('without an expectation', () => {
  test('A2: silence until the deadline is shown as what it is: open, or no response', async () => {
    await using server = await udpServer();
    const outcome = await check({ port: server.port }, 100);
    assert.equal(outcome.status, 'up');
    assert.equal(outcome.message, `Port ${server.port} on 127.0.0.1 is open or no response received.`);
    assert.equal(outcome.detail['response'], false);
    assert.equal(outcome.latencyMs, undefined);
  });

  test('any reply is up and is shown', async () => {
    await using server = await udpServer((datagram, reply) => reply(Buffer.from(`you said ${datagram.toString()}`)));
    const outcome = await check({ port: server.port, payload: 'hello' });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.detail['reply'], 'you said hello');
    assert.equal(outcome.detail['response'], true);
    assert.equal(outcome.metrics['replyBytes'], 14);
    assert.ok((outcome.latencyMs ?? -1) >= 0);
  });

  test('an ICMP port unreachable is down, and says refused', async () => {
    const outcome = await check({ port: await closedUdpPort() });
    assert.equal(outcome.status, 'down');
    assert.equal(outcome.reason, 'refused');
    assert.equal(outcome.source, 'target');
  });
});

describe('SI2: what silence means', () => {
  test('the option silence says it', async () => {
    await using server = await udpServer();
    const options = { port: server.port };
    assert.equal((await check({ ...options, silence: 'up' }, 100)).status, 'up');
    for (const silence of ['unknown', 'down']) {
      const outcome = await check({ ...options, silence }, 100);
      assert.deepEqual([outcome.status, outcome.reason], [silence, 'timeout']);
      assert.match(outcome.message, /^Waiting for a reply from 127\.0\.0\.1:\d+: /);
    }
  });

  test('after an answer to the same payload it is down, unless the option says otherwise', async () => {
    let isThere = true;
    await using server = await udpServer((datagram, reply) => isThere && reply(datagram));
    const options = { port: server.port, payload: 'are you there?' };
    assert.equal((await check(options)).status, 'up');
    isThere = false;
    const outcome = await check(options, 100);
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'timeout']);
    assert.match(outcome.message, /This was answered before\.$/);
    assert.equal((await check({ ...options, payload: 'another' }, 100)).status, 'up');
    assert.equal((await check({ ...options, silence: 'up' }, 100)).status, 'up');
    assert.equal((await check({ ...options, silence: 'unknown' }, 100)).status, 'unknown');
  });
});

describe('with an expectation', () => {
  test('silence is down, and says that the time ran out while waiting for a reply', async () => {
    await using server = await udpServer();
    const outcome = await check({ port: server.port, expect: 'pong' }, 100);
    assert.equal(outcome.status, 'down');
    assert.equal(outcome.reason, 'timeout');
    assert.match(outcome.message, /^Waiting for a reply from 127\.0\.0\.1:\d+/);
  });

  test('a reply that matches the expression is up', async () => {
    await using server = await udpServer((_, reply) => reply(Buffer.from('pong 7')));
    assert.equal((await check({ port: server.port, expect: '^pong \\d$' })).status, 'up');
  });

  test('a reply that does not match is down, with both sides in the message', async () => {
    await using server = await udpServer((_, reply) => reply(Buffer.from('busy')));
    const outcome = await check({ port: server.port, expect: '^pong' });
    assert.equal(outcome.reason, 'assertion');
    assert.match(outcome.message, /matches \/\^pong\/, got "busy"/);
  });

  test('bytes go out and come back as hexadecimal', async () => {
    await using server = await udpServer((datagram, reply) => reply(Buffer.concat([datagram, Buffer.from([255])])));
    const good = await check({ port: server.port, payloadHex: '00 FF', expectHex: '00:ff:ff' });
    assert.equal(good.status, 'up', good.message);
    assert.equal(good.detail['reply'], '00ffff');
    const bad = await check({ port: server.port, payloadHex: '00ff', expectHex: '01' });
    assert.equal(bad.reason, 'assertion');
    assert.match(bad.message, /begins with 01, got 00ffff/);
  });

  test('MU21: expectHex stands at the beginning, on whole bytes', async () => {
    await using server = await udpServer((_, reply) => reply(Buffer.from('a0ff1b', 'hex')));
    const of = async (expectHex: string): Promise<string> => (await check({ port: server.port, expectHex })).status;
    assert.equal(await of('a0ff'), 'up');
    for (const elsewhere of ['ff1b', 'ff', '0f', 'a0ff1b00']) assert.equal(await of(elsewhere), 'down', elsewhere);
  });

  test('an empty reply that was to begin with bytes says so', async () => {
    await using server = await udpServer((_, reply) => reply(Buffer.alloc(0)));
    assert.match((await check({ port: server.port, expectHex: '01' })).message, /got an empty one/);
  });
});

test('a slow reply is degraded', async () => {
  await using server = await udpServer((datagram, reply) => reply(datagram, 30));
  const outcome = await check({ port: server.port, degraded: { latency: '5ms' } });
  assert.equal(outcome.status, 'degraded');
  assert.equal(outcome.reason, 'threshold');
  assert.match(outcome.message, /^The reply took \d+\.\d+ ms \(degraded from 5ms\)\.$/);
});

test('options that cannot be are refused, each with what was expected', () => {
  const table = [
    [{ port: 0 }, /port/],
    [{ payloadHex: 'xyz' }, /hexadecimal/],
    [{ payloadHex: '0' }, /hexadecimal/],
    [{ payloadHex: '00'.repeat(1433) }, /at most 1432 bytes/],
    [{ expect: '(' }, /RE2/],
    [{ family: '5' }, /family/],
    [{ colour: 'red' }, /colour/],
  ] as const;
  for (const [options, message] of table) {
    const { error } = udp.options.safeParse({ host: 'a', port: 1, ...options });
    assert.match(JSON.stringify(error?.issues), message);
  }
});
