import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outcome } from '../../core/outcome.ts';
import { encodeNtp, msToTimestamp, type NtpPacket } from '../../net/packets/ntp.ts';
import { testContext } from '../../testing/context.ts';
import { ntpServer } from '../../testing/ntp-server.ts';
import { stand } from '../../testing/stand.ts';
import { closedUdpPort, udpServer } from '../../testing/udp-server.ts';
import { checkContract } from '../check.contract.ts';
import { ntp } from './ntp.ts';

const host = '127.0.0.1';

checkContract(ntp, {
  async answering() {
    const server = await ntpServer();
    return stand({ host, port: server.port }, () => server[Symbol.asyncDispose]());
  },
  async silent() {
    const server = await udpServer();
    return stand({ host, port: server.port }, () => server[Symbol.asyncDispose]());
  },
});

function check(options: object, deadlineMs = 5000): Promise<Outcome> {
  const signal = AbortSignal.timeout(deadlineMs);
  return ntp.run(ntp.options.parse({ host, ...options }), testContext({ signal }));
}

/** The way there and back may take unequal times: an offset is known to half the delay (RFC 5905, section 8). */
function assertOffset({ metrics }: Outcome, expectedMs: number): void {
  const { offsetMs = NaN, delayMs = NaN } = metrics;
  assert.ok(Math.abs(offsetMs - expectedMs) <= delayMs / 2 + 1, `${offsetMs} ms with a delay of ${delayMs} ms`);
}

test('the time of the server is shown, with its offset', async () => {
  await using server = await ntpServer();
  const outcome = await check({ port: server.port });
  assert.equal(outcome.status, 'up', outcome.message);
  assert.match(outcome.message, /^Time: \w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}, offset [+-]\d+\.\d{3} ms$/);
  assertOffset(outcome, 0);
  assert.equal(outcome.metrics['stratum'], 2);
  assert.equal(outcome.metrics['rootDelayMs']?.toFixed(1), '10.0');
  assert.equal(outcome.metrics['precisionMs'], 2 ** -20 * 1000);
  assert.equal(outcome.latencyMs, outcome.metrics['delayMs']);
  assert.equal(outcome.detail['referenceId'], '192.0.2.1');
  assert.equal(outcome.detail['leap'], 'none');
});

test('an offset is measured with its sign, hours apart and in the era after 2036 too', async () => {
  for (const offsetMs of [-3_600_000, 250, 12 * 365 * 86_400_000]) {
    await using server = await ntpServer({ offsetMs });
    assertOffset(await check({ port: server.port }), offsetMs);
  }
});

test('of several samples the one with the shortest delay counts', async () => {
  let asked = 0;
  // Each reply says in its root delay which one it was; the second is the fastest.
  await using server = await ntpServer({
    send: (packet, reply) => {
      const delayMs = [600, undefined, 600][asked++];
      reply(encodeNtp({ ...packet, rootDelayMs: asked * 1000 }), delayMs);
    },
  });
  const outcome = await check({ port: server.port, samples: 3, spacing: '10ms' });
  assert.equal(outcome.metrics['rootDelayMs'], 2000);
  assert.equal(outcome.metrics['received'], 3);
});

test('a lost sample is no failure when another came', async () => {
  let asked = 0;
  await using server = await ntpServer({ send: (packet, reply) => void (asked++ > 0 && reply(encodeNtp(packet))) });
  const outcome = await check({ port: server.port, samples: 2, spacing: '10ms', wait: '50ms' });
  assert.equal(outcome.status, 'up', outcome.message);
  const { sent, received } = outcome.metrics;
  assert.deepEqual({ sent, received }, { sent: 2, received: 1 });
});

test('the time that a run takes is known before: its spacings, and every wait if none is answered', () => {
  const options = ntp.options.parse({ host: 'a.test', samples: 3, spacing: '1s', wait: '2s' });
  assert.equal(ntp.sendingMs?.(options), 2000);
  assert.equal(ntp.plannedMs?.(options), 8000);
});

test('a server may answer in an older version, as for chronyd', async () => {
  for (const version of [1, 2, 3]) {
    await using server = await ntpServer({ packet: { version } });
    const outcome = await check({ port: server.port });
    assert.equal(outcome.status, 'up', outcome.message);
  }
});

test('silence is down after the time for a sample, and says what was waited for', async () => {
  await using server = await udpServer();
  const outcome = await check({ port: server.port, wait: '50ms' });
  assert.equal(outcome.status, 'down');
  assert.equal(outcome.reason, 'timeout');
  assert.equal(outcome.message, 'Waiting for the time from 127.0.0.1: No answer within 50ms.');
});

test('a port where nothing listens is refused', async () => {
  assert.equal((await check({ port: await closedUdpPort() })).reason, 'refused');
});

describe('a server that must not be trusted is down, and the message says why', () => {
  const refusals: readonly [string, Partial<NtpPacket>, RegExp][] = [
    ['kiss of death', { stratum: 0, referenceId: Buffer.from('RATE') }, /RATE \(asked too often/],
    ['an unknown kiss code', { stratum: 0, referenceId: Buffer.from('X\0\0\0') }, /X \(kiss of death\)/],
    [
      'stratum 0 without a code',
      { stratum: 0, referenceId: Buffer.alloc(4) },
      /not synchronised \(leap 0, stratum 0\)/,
    ],
    ['a clock not set yet', { stratum: 0, referenceId: Buffer.from('INIT') }, /not synchronised \(leap 0, stratum 0\)/],
    ['stratum 16', { stratum: 16 }, /not synchronised \(leap 0, stratum 16\)/],
    ['leap alarm', { leap: 3 }, /not synchronised \(leap 3, stratum 2\)/],
    ['no time', { transmit: 0n }, /without a time/],
    ['symmetric mode', { mode: 1 }, /version 4, mode 1/],
    ['version 0', { version: 0 }, /version 0, mode 4/],
    ['version 5', { version: 5 }, /version 5, mode 4/],
  ];
  for (const [name, packet, message] of refusals) {
    test(name, async () => {
      await using server = await ntpServer({ packet });
      const outcome = await check({ port: server.port });
      assert.equal(outcome.status, 'down');
      assert.equal(outcome.reason, 'protocol');
      assert.match(outcome.message, message);
    });
  }

  test('a reply to another request is no answer', async () => {
    await using server = await ntpServer({ packet: { origin: 1n } });
    const outcome = await check({ port: server.port, wait: '50ms' });
    assert.equal(outcome.reason, 'protocol');
    assert.match(outcome.message, /the time from 127\.0\.0\.1: expected .*, got a reply to another request/);
  });

  test('a forged reply before the true one does no harm', async () => {
    await using server = await ntpServer({
      send: (packet, reply) => {
        reply(encodeNtp({ ...packet, origin: 1n, transmit: 1n }));
        reply(Buffer.from('short'));
        reply(encodeNtp(packet));
      },
    });
    assert.equal((await check({ port: server.port })).status, 'up');
  });
});

describe('CB18: a good sample stands', () => {
  const failures: readonly [string, Partial<NtpPacket>][] = [
    ['RATE', { stratum: 0, referenceId: Buffer.from('RATE') }],
    ['DENY', { stratum: 0, referenceId: Buffer.from('DENY') }],
    ['a clock that is not synchronised', { leap: 3 }],
    ['times that contradict each other', { receive: 0n }],
  ];
  for (const [what, packet] of failures) {
    test(`before ${what}`, async () => {
      let asked = 0;
      await using server = await ntpServer({
        send: (good, reply) => reply(encodeNtp(asked++ === 0 ? good : { ...good, ...packet })),
      });
      const outcome = await check({ port: server.port, samples: 3, spacing: '10ms' });
      assert.equal(outcome.status, 'up', outcome.message);
      // A kiss of death ends the asking.
      assert.equal(outcome.metrics['sent'], packet.stratum === 0 ? 2 : 3);
      assert.equal((outcome.detail['failedSamples'] as string[]).length, (outcome.metrics['sent'] ?? 0) - 1);
    });
  }

  test('behind silence and a bad one', async () => {
    let asked = 0;
    await using server = await ntpServer({
      send: (good, reply) => {
        asked++;
        if (asked > 1) reply(encodeNtp(asked === 2 ? { ...good, stratum: 16 } : good));
      },
    });
    const outcome = await check({ port: server.port, samples: 3, spacing: '10ms', wait: '50ms' });
    assert.equal(outcome.status, 'up', outcome.message);
  });

  test('when the time of the run ends', async () => {
    let asked = 0;
    await using server = await ntpServer({ send: (good, reply) => void (asked++ === 0 && reply(encodeNtp(good))) });
    const outcome = await check({ port: server.port, samples: 8 }, 300);
    assert.equal(outcome.status, 'up', outcome.message);
  });

  test('without one, what the server said is told and not the silence', async () => {
    let asked = 0;
    const server = await ntpServer({
      send: (good, reply) => asked++ > 0 && reply(encodeNtp({ ...good, stratum: 16 })),
    });
    await using _ = server;
    const outcome = await check({ port: server.port, samples: 2, spacing: '10ms', wait: '50ms' });
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'protocol'], outcome.message);
  });
});

describe('CB18: times of a reply that contradict each other are a protocol failure', () => {
  const hour = msToTimestamp(3_600_000) - msToTimestamp(0);
  const cases: readonly [string, (good: NtpPacket) => Partial<NtpPacket>, RegExp | 'up'][] = [
    [
      'received 56 years early',
      ({ receive }) => ({ receive: receive - hour * 24n * 365n * 56n }),
      /took 5\d\.\d years/,
    ],
    ['received never', () => ({ receive: 0n }), /contradict each other/],
    ['sent an hour before it was received', ({ transmit }) => ({ transmit: transmit - hour }), /1 h before it got/],
    ['an hour between', ({ receive }) => ({ receive: receive - hour }), /it took 1 h, and its reply came after/],
    ['clock set an hour after', ({ transmit }) => ({ reference: transmit + hour }), /set 1 h after it sent/],
    ['clock never set', () => ({ reference: 0n }), 'up'],
    // 2.5 s off, within the 3 s that the server says it may be wrong by.
    ['within its own dispersion', ({ receive }) => ({ receive: receive - hour / 1440n, rootDispersionMs: 3000 }), 'up'],
    [
      'beyond its own dispersion',
      ({ receive }) => ({ receive: receive - hour / 1440n, rootDispersionMs: 2000 }),
      /took 2\.\d+ s/,
    ],
    [
      'a precision of 2^127 s allows no more',
      ({ receive }) => ({ receive: receive - hour, precision: 127 }),
      /took 1 h/,
    ],
  ];
  for (const [what, change, expected] of cases) {
    test(what, async () => {
      await using server = await ntpServer({ send: (good, reply) => reply(encodeNtp({ ...good, ...change(good) })) });
      const outcome = await check({ port: server.port, degraded: { rootDistance: '1h' } });
      if (expected === 'up') {
        assert.equal(outcome.status, 'up', outcome.message);
        assert.ok((outcome.metrics['delayMs'] ?? -1) >= 0);
        return;
      }
      assert.deepEqual([outcome.status, outcome.reason], ['down', 'protocol'], outcome.message);
      assert.match(outcome.message, expected);
    });
  }
});

test('CK6: a large offset is said in years, not in milliseconds', async () => {
  await using server = await ntpServer({ offsetMs: -169_038_109_938 });
  assert.match((await check({ port: server.port })).message, /, offset -5\.4 years$/);
  const limited = await check({ port: server.port, down: { offset: '1m' } });
  assert.match(limited.message, /^The clocks are apart by 5\.4 years \(down from 1m\)\.$/);
});

test('MU18: the root distance has half of our own delay in it', async () => {
  await using server = await ntpServer({ send: (good, reply) => reply(encodeNtp(good), 60) });
  const { metrics } = await check({ port: server.port });
  const { delayMs = 0, rootDistanceMs = 0 } = metrics;
  assert.ok(delayMs >= 50, `${delayMs}`);
  // 10 ms to the reference clock and back, 5 ms of dispersion.
  assert.ok(Math.abs(rootDistanceMs - (10 + delayMs) / 2 - 5) < 0.1, `${rootDistanceMs} with a delay of ${delayMs}`);
});

describe('thresholds', () => {
  const slow: Parameters<typeof ntpServer>[0] = { send: (packet, reply) => reply(encodeNtp(packet), 30) };
  const cases: readonly [string, object, Parameters<typeof ntpServer>[0], RegExp][] = [
    ['offset', { offset: '100ms' }, { offsetMs: -500 }, /clocks are apart by (?:4|5)\d\d\.\d+ ms .*from 100ms/],
    ['latency', { latency: '5ms' }, slow, /round trip took \d+\.\d+ ms .*from 5ms/],
    [
      'rootDistance',
      { rootDistance: '1s' },
      { packet: { rootDispersionMs: 2000 } },
      /root distance is 2\d{3}\.\d+ ms .*from 1s/,
    ],
    ['stratum', { stratum: 4 }, { packet: { stratum: 4 } }, /stratum is 4 .*from 4/],
  ];
  for (const status of ['degraded', 'down'] as const) {
    for (const [name, limits, server, message] of cases) {
      test(`${status} by ${name}`, async () => {
        await using stand = await ntpServer(server);
        const outcome = await check({ port: stand.port, [status]: limits });
        assert.equal(outcome.status, status);
        assert.equal(outcome.reason, 'threshold');
        assert.match(outcome.message, message);
      });
    }
  }

  test('by default a time that may be wrong by more than 1.5 s is degraded', async () => {
    await using stand = await ntpServer({ packet: { rootDispersionMs: 2000 } });
    assert.equal((await check({ port: stand.port, degraded: { stratum: 5 } })).status, 'degraded');
  });
});

test('the port is shown only where it is not 123', () => {
  assert.equal(ntp.targetOf(ntp.options.parse({ host: 'pool.ntp.org' })), 'pool.ntp.org');
  assert.equal(ntp.targetOf(ntp.options.parse({ host: '::1', port: 124 })), '[::1]:124');
});
