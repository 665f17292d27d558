import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Outcome } from '../../src/core/outcome.ts';
import { icmp } from '../../src/checks/icmp/icmp.ts';
import { block, busyLoop } from '../../src/testing/busy.ts';
import { testContext } from '../../src/testing/context.ts';
import { labAddresses, labMissing, openNetLab, type NetLab } from '../../src/testing/netlab.ts';
import { missing } from './daemon.ts';
import { becomeNobody } from './nobody.ts';

const skip = labMissing || missing('ip', 'nft', 'ping', 'sysctl');

// One network for all, so that runs at the same time share a socket, as they do in a process.
const { net } = testContext();

function run(options: Record<string, unknown>): Promise<Outcome> {
  return icmp.run(icmp.options.parse({ interval: '10ms', wait: '300ms', ...options }), testContext({ net }));
}

async function runAsNobody(options: Record<string, unknown>): Promise<Outcome> {
  using _ = becomeNobody();
  return await run(options);
}

/** Narrows the link between the routers. */
async function setLinkMtu({ nearRouter, farRouter }: NetLab, mtu: string): Promise<void> {
  await nearRouter.run('ip', 'link', 'set', 'right', 'mtu', mtu);
  await farRouter.run('ip', 'link', 'set', 'left', 'mtu', mtu);
}

describe('ping across two routers', { skip }, () => {
  let lab: NetLab;
  let home: Disposable;
  before(async () => {
    lab = await openNetLab();
    home = lab.client.enter();
    await allowDatagrams('0 2147483647');
  });
  after(async () => {
    home[Symbol.dispose]();
    await lab[Symbol.asyncDispose]();
  });

  const allowDatagrams = (groups: string): Promise<string> =>
    lab.client.run('sysctl', '-q', '-w', `net.ipv4.ping_group_range=${groups}`);

  for (const family of [4, 6] as const) {
    const { server, hops, unreachable, prohibited, blackHole } = labAddresses[family];

    test(`IPv${family}: the system's ping counts the same, and its fastest round trip is ours within 0.5 ms`, async () => {
      const ours = await run({ host: server, count: 20 });
      const theirs = await lab.client.run('ping', '-n', '-c', '20', '-i', '0.01', server);
      const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(theirs) ?? [];
      const [, minMs] = /= ([\d.]+)\//.exec(theirs) ?? [];
      const [, ttl] = /ttl=(\d+)/.exec(theirs) ?? [];
      assert.equal(ours.status, 'up', ours.message);
      assert.equal(ours.metrics['sent'], Number(sent));
      assert.equal(ours.metrics['received'], Number(received));
      assert.equal(ours.metrics['ttl'], Number(ttl));
      assert.ok(
        Math.abs((ours.metrics['rttMinMs'] ?? NaN) - Number(minMs)) < 0.5,
        `${ours.metrics['rttMinMs']}, ${minMs}`,
      );
    });

    test(`IPv${family}: the loss is what the router dropped`, async () => {
      const request = family === 4 ? 'icmp type echo-request' : 'icmpv6 type echo-request';
      await lab.nearRouter.filter(`${request} numgen random mod 100 < 30 counter drop`);
      const runs = await Promise.all(Array.from({ length: 4 }, () => run({ host: server, count: 100 })));
      const rules = await lab.nearRouter.run('nft', 'list', 'table', 'inet', 'lab');
      await lab.nearRouter.filter();
      const dropped = Number(/counter packets (\d+)/.exec(rules)?.[1]);
      const lost = runs.map(({ metrics }) => (metrics['sent'] ?? 0) - (metrics['received'] ?? 0));
      assert.equal(
        lost.reduce((sum, count) => sum + count, 0),
        dropped,
      );
      // 30 % of 400 packets; five standard deviations of a binomial count are 46.
      assert.ok(Math.abs(dropped - 120) <= 46, `${dropped} dropped`);
    });

    test(`IPv${family}: a router that knows no such host is named, and the path is to blame`, async () => {
      const outcome = await run({ host: unreachable });
      assert.equal(outcome.status, 'down');
      assert.equal(outcome.reason, 'unreachable');
      assert.equal(outcome.source, 'path');
      assert.equal(outcome.detail['reportedBy'], hops[1]);
      const text = family === 4 ? 'host unreachable' : 'address unreachable';
      assert.equal(outcome.message, `${hops[1]} says about ${unreachable}: ${text}.`);
    });

    test(`IPv${family}: a router that may not forward says so`, async () => {
      const outcome = await run({ host: prohibited });
      assert.equal(outcome.reason, 'unreachable');
      assert.match(outcome.message, /communication administratively prohibited/);
    });

    test(`IPv${family}: a black hole is a timeout`, async () => {
      const outcome = await run({ host: blackHole, count: 2 });
      assert.equal(outcome.reason, 'timeout');
      assert.equal(outcome.metrics['lossPercent'], 100);
    });

    test(`IPv${family}: a time to live too small ends at the router where it runs out`, async () => {
      const outcome = await run({ host: server, ttl: 2 });
      assert.equal(outcome.reason, 'unreachable');
      assert.equal(
        outcome.message,
        `Packets did not reach ${server}: ${hops[1]} says time to live exceeded, after 2 hops.`,
      );
      assert.equal((await run({ host: server, ttl: 3 })).status, 'up');
    });

    test(`IPv${family}: a packet too big for a link says which router takes how much`, async () => {
      await setLinkMtu(lab, '1400');
      const whole = await run({ host: server, size: 1400, dontFragment: true });
      const small = await run({ host: server, size: 1300, dontFragment: true });
      // Over IPv6 the first packet is lost: it teaches this machine how much fits.
      const pieces = await run({ host: server, size: 1400, count: 2, degraded: { loss: 60 } });
      await setLinkMtu(lab, '1500');
      assert.equal(whole.reason, 'unreachable', whole.message);
      assert.equal(whole.detail['mtu'], 1400);
      assert.equal(
        whole.message,
        `Packets with 1400 bytes of payload are too big: ${hops[0]} takes 1400 bytes at most.`,
      );
      assert.equal(small.status, 'up', small.message);
      assert.equal(pieces.status, 'up', pieces.message);
    });

    test(`IPv${family}: a packet too big for our own interface never leaves`, async () => {
      const outcome = await run({ host: server, size: 1500, dontFragment: true });
      assert.equal(outcome.source, 'agent');
      assert.match(outcome.message, /this machine takes 1\d{3} bytes at most/);
    });

    test(`IPv${family}: payloads from nothing to the most that fits come back`, async () => {
      for (const size of [0, 1, 2, 9, 10, 65_000]) {
        const outcome = await run({ host: server, size });
        assert.equal(outcome.status, 'up', `${size} bytes: ${outcome.message}`);
      }
    });
  }

  test('a quarter lost is degraded or down where the limits say so', async () => {
    await lab.nearRouter.filter('icmp type echo-request numgen inc mod 4 0 drop');
    const options = { host: labAddresses[4].server, count: 8 };
    const up = await run(options);
    const degraded = await run({ ...options, degraded: { loss: 20 } });
    const down = await run({ ...options, degraded: { loss: 20 }, down: { loss: 25 } });
    await lab.nearRouter.filter();
    assert.match(up.message, /^ping: \d+\.\d\d ms, 2 of 8 packets lost$/);
    assert.equal(degraded.status, 'degraded');
    assert.equal(degraded.reason, 'loss');
    assert.equal(degraded.message, '2 of 8 packets were lost, 25 % (degraded from 20 %).');
    assert.equal(down.status, 'down');
    assert.equal(down.reason, 'loss');
  });

  test('every kind of access measures the same, and the result says which it was', async () => {
    const host = labAddresses[4].server;
    const datagram = await run({ host, count: 2 });
    const host6 = await run({ host: labAddresses[6].server });
    await allowDatagrams('1 0');
    const raw = await run({ host, count: 2 });
    const raw6 = await run({ host: labAddresses[6].server });
    const refused = await run({ host: labAddresses[4].unreachable });
    const refused6 = await run({ host: labAddresses[6].unreachable });
    await allowDatagrams('0 2147483647');
    for (const [outcome, via] of [
      [datagram, 'datagram'],
      [host6, 'datagram'],
      [raw, 'raw'],
      [raw6, 'raw'],
    ] as const) {
      assert.equal(outcome.status, 'up', outcome.message);
      assert.equal(outcome.detail['via'], via);
      assert.equal(outcome.metrics['ttl'], 62);
    }
    assert.match(refused.message, /10\.90\.2\.2 says .* host unreachable/);
    assert.match(refused6.message, /fd90:0:0:2::2 says .* address unreachable/);
  });

  test('a user without privileges pings by a datagram socket, or else by the ping command', async () => {
    const { server, unreachable } = labAddresses[4];
    const datagram = await runAsNobody({ host: server, count: 2 });
    await allowDatagrams('1 0');
    const ping = await runAsNobody({ host: server, count: 2 });
    const refused = await runAsNobody({ host: unreachable });
    const tooShort = await runAsNobody({ host: server, ttl: 1 });
    const tooBig = await runAsNobody({ host: server, size: 1500, dontFragment: true });
    await allowDatagrams('0 2147483647');
    assert.equal(datagram.status, 'up', datagram.message);
    assert.equal(datagram.detail['via'], 'datagram');
    assert.equal(ping.status, 'up', ping.message);
    assert.equal(ping.detail['via'], 'ping');
    assert.equal(ping.metrics['ttl'], 62);
    assert.equal(refused.message, `10.90.2.2 says about ${unreachable}: host unreachable.`);
    assert.match(tooShort.message, /10\.90\.1\.2 says time to live exceeded/);
    // The path may have taught the kernel a smaller MTU before.
    assert.match(tooBig.message, /this machine takes 1\d00 bytes at most/);
  });

  test('without a socket and without ping the outcome says what to do', async () => {
    const path = process.env['PATH'];
    await allowDatagrams('1 0');
    process.env['PATH'] = '/nonexistent';
    using nobody = becomeNobody();
    const outcome = await run({ host: labAddresses[4].server });
    nobody[Symbol.dispose]();
    process.env['PATH'] = path;
    await allowDatagrams('0 2147483647');
    assert.equal(outcome.status, 'unknown');
    assert.equal(outcome.reason, 'unsupported');
    assert.match(outcome.message, /there is no ping command.*sysctl -w net\.ipv4\.ping_group_range/);
  });

  test('a hundred runs share one socket, and each hears its own answers', async () => {
    const hosts = [...labAddresses[4].hops, labAddresses[4].unreachable];
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) => run({ host: hosts[index % 4], count: 3, size: index })),
    );
    for (const [index, outcome] of outcomes.entries()) {
      assert.equal(outcome.status, index % 4 === 3 ? 'down' : 'up', outcome.message);
      if (outcome.status === 'up') assert.equal(outcome.metrics['ttl'], 64 - (index % 4));
    }
  });

  test('errors about the packets of one run do not disturb another on the same socket', async () => {
    const { server, hops, unreachable } = labAddresses[4];
    await setLinkMtu(lab, '1400');
    const [tooWide, tooBig, refused, good] = await Promise.all([
      run({ host: server, count: 20, size: 1400, dontFragment: true }),
      run({ host: server, count: 20, size: 1500, dontFragment: true }),
      run({ host: unreachable, count: 20 }),
      run({ host: server, count: 20 }),
    ]);
    await setLinkMtu(lab, '1500');
    assert.equal(tooWide.detail['reportedBy'], hops[0], tooWide.message);
    assert.equal(tooWide.detail['mtu'], 1400);
    assert.equal(tooBig.detail['reportedBy'], null, tooBig.message);
    assert.equal(tooBig.detail['mtu'], 1500);
    assert.equal(refused.detail['reportedBy'], hops[1], refused.message);
    assert.equal(good.metrics['received'], 20, good.message);
  });

  test('an answer that is there when the wait ends is not called missing, though the event loop was busy', async () => {
    const outcome = await new Promise<Outcome>((resolve) => {
      setImmediate(() => resolve(run({ host: labAddresses[4].server, wait: '20ms' })));
      // Between the packet and the next look at the clock, which comes before the next look at the sockets.
      setImmediate(() => block(100));
    });
    assert.equal(outcome.status, 'up', outcome.message);
  });

  test('a busy event loop does not lengthen the round trip: the kernel took the time', async () => {
    const busyMs = 100;
    const answered = run({ host: labAddresses[4].server, count: 3, interval: '20ms' });
    using _busy = busyLoop(busyMs);
    const outcome = await answered;
    assert.equal(outcome.metrics['received'], 3, outcome.message);
    assert.ok((outcome.metrics['rttMinMs'] ?? NaN) < busyMs / 4, `${outcome.metrics['rttMinMs']} ms`);
  });
});
