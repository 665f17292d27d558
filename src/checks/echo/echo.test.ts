import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outcome } from '../../core/outcome.ts';
import { testContext } from '../../testing/context.ts';
import { stand } from '../../testing/stand.ts';
import { tcpServer } from '../../testing/tcp-server.ts';
import { closedUdpPort, udpServer } from '../../testing/udp-server.ts';
import { checkContract } from '../check.contract.ts';
import { echo } from './echo.ts';
import { EchoResponder } from '../../echo/responder.ts';

const host = '127.0.0.1';

checkContract(echo, {
  async answering() {
    const responder = new EchoResponder({ host, tcp: 0 });
    const { tcp: port } = await responder.start();
    return stand({ host, port }, () => responder.stop());
  },
  async silent() {
    const server = await tcpServer((socket) => socket.resume());
    return stand({ host, port: server.port }, () => server[Symbol.asyncDispose]());
  },
});

function check(options: object, deadlineMs = 5000): Promise<Outcome> {
  const signal = AbortSignal.timeout(deadlineMs);
  return echo.run(echo.options.parse({ host, ...options }), testContext({ signal }));
}

test('A5: the reply is shown; a stopped echo server is down at the next run, and up when it is back', async () => {
  const responder = new EchoResponder({ host, tcp: 0 });
  const { tcp: port = 0 } = await responder.start();
  const first = await check({ port });
  assert.equal(first.status, 'up', first.message);
  assert.equal(first.message, 'Hello!');
  await responder.stop();
  const second = await check({ port });
  assert.equal(second.status, 'down');
  assert.equal(second.reason, 'refused');
  await using again = new EchoResponder({ host, tcp: port });
  await again.start();
  assert.equal((await check({ port })).status, 'up');
});

for (const protocol of ['tcp', 'udp'] as const) {
  describe(`over ${protocol}`, () => {
    test('D2: what came back is what was sent, one message exactly as typed', async () => {
      await using responder = new EchoResponder({ host, tcp: 0, udp: 0 });
      const ports = await responder.start();
      const outcome = await check({ port: ports[protocol], protocol, message: 'Grüße 👋' });
      assert.equal(outcome.message, 'Grüße 👋');
      assert.equal(outcome.status, 'up');
      const { sent, received, lossPercent, corrupted } = outcome.metrics;
      assert.deepEqual(
        { sent, received, lossPercent, corrupted },
        { sent: 1, received: 1, lossPercent: 0, corrupted: 0 },
      );
      assert.equal(responder.counters[protocol === 'tcp' ? 'tcpBytes' : 'udpBytes'], Buffer.byteLength('Grüße 👋'));
    });

    test('several messages give loss, round trips and jitter', async () => {
      await using responder = new EchoResponder({ host, tcp: 0, udp: 0 });
      const ports = await responder.start();
      const outcome = await check({ port: ports[protocol], protocol, count: 20, interval: '1ms', size: 1400 });
      assert.equal(outcome.status, 'up', outcome.message);
      assert.equal(outcome.message, 'Hello! came back 20 of 20 times.');
      const { rttMinMs = -1, rttAvgMs = -1, rttMaxMs = -1, jitterMs = -1, received } = outcome.metrics;
      assert.equal(received, 20);
      assert.ok(0 <= rttMinMs && rttMinMs <= rttAvgMs && rttAvgMs <= rttMaxMs && jitterMs >= 0);
      assert.equal(outcome.latencyMs, rttAvgMs);
    });

    test('the largest message comes back whole', async () => {
      await using responder = new EchoResponder({ host, tcp: 0, udp: 0 });
      const ports = await responder.start();
      const outcome = await check({ port: ports[protocol], protocol, size: 65_507 });
      assert.equal(outcome.status, 'up', outcome.message);
    });

    test('an average round trip over the threshold is degraded', async () => {
      await using tcp = await tcpServer((socket) =>
        socket.on('data', (bytes) => setTimeout(() => socket.write(bytes), 30)),
      );
      await using udp = await udpServer((datagram, reply) => reply(datagram, 30));
      const outcome = await check({ port: { tcp, udp }[protocol].port, protocol, degraded: { latency: '5ms' } });
      assert.equal(outcome.status, 'degraded');
      assert.equal(outcome.reason, 'threshold');
      assert.match(outcome.message, /^The mean round trip took \d+\.\d+ ms \(degraded from 5ms\)\.$/);
    });
  });
}

describe('over UDP, by its replies', () => {
  test('a share of lost messages is degraded, a larger one down, by the thresholds', async () => {
    let seen = 0;
    await using server = await udpServer((datagram, reply) => void (seen++ % 4 !== 0 && reply(datagram)));
    const options = { port: server.port, protocol: 'udp', count: 8, interval: '1ms', wait: '50ms' };
    const degraded = await check(options);
    assert.equal(degraded.status, 'degraded');
    assert.equal(degraded.reason, 'loss');
    assert.equal(degraded.metrics['lossPercent'], 25);
    assert.match(degraded.message, /^2 of 8 messages were lost, 25 % \(degraded from 1 %\)/);
    assert.equal((await check({ ...options, down: { loss: 20 } })).status, 'down');
    assert.equal((await check({ ...options, degraded: { loss: 30 } })).status, 'up');
  });

  test('silence is down, and says how long it waited', async () => {
    await using server = await udpServer();
    const outcome = await check({ port: server.port, protocol: 'udp', wait: '50ms' });
    assert.equal(outcome.status, 'down');
    assert.equal(outcome.reason, 'timeout');
    assert.equal(outcome.message, 'No reply within 50ms to 1 message.');
  });

  test('a deadline in the middle says how far it came', async () => {
    await using responder = new EchoResponder({ host, udp: 0 });
    const { udp: port } = await responder.start();
    const outcome = await check({ port, protocol: 'udp', count: 100, interval: '1s' }, 100);
    assert.equal(outcome.reason, 'timeout');
    assert.match(outcome.message, /^1 of 100 messages sent to 127\.0\.0\.1:\d+, 1 came back/);
    assert.equal(outcome.metrics['received'], 1);
  });

  test('a port where nothing listens is refused at once', async () => {
    const outcome = await check({ port: await closedUdpPort(), protocol: 'udp' });
    assert.equal(outcome.reason, 'refused');
  });
});

test('a target is a host, or a host and a port; the shell knows defaults for the rest', () => {
  assert.deepEqual(echo.fromTarget('lab:7', 'echo'), { host: 'lab', port: 7 });
  const options = echo.options.parse({});
  assert.equal(echo.targetOf(options), 'localhost:12345');
  assert.equal(options.message, 'Hello!');
});
