import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { traceroute } from '../../src/checks/traceroute/traceroute.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { createNetwork } from '../../src/net/network.ts';
import { Resolver } from '../../src/net/resolve.ts';
import { busyLoop } from '../../src/testing/busy.ts';
import { testContext } from '../../src/testing/context.ts';
import { labAddresses, labMissing, openNetLab, type NetLab } from '../../src/testing/netlab.ts';
import { missing, temporaryFolder } from './daemon.ts';
import { becomeNobody } from './nobody.ts';

const skip = labMissing || missing('ip', 'nft', 'traceroute', 'sysctl');

interface DescribedHop {
  readonly addresses: readonly string[];
  readonly lossPercent: number;
  readonly names?: Readonly<Record<string, string>>;
}

function hopsOf({ detail }: Outcome): readonly DescribedHop[] {
  // What the traceroute check keeps; its outcome is JSON.
  return detail['hops'] as unknown as readonly DescribedHop[];
}

function addressesOf(outcome: Outcome): string[] {
  return hopsOf(outcome).map(({ addresses }) => addresses.join() || '*');
}

function run(options: Record<string, unknown>, context = testContext()): Promise<Outcome> {
  return traceroute.run(traceroute.options.parse({ wait: '300ms', maxHops: 6, ...options }), context);
}

describe('traceroute across two routers', { skip }, () => {
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

  const witnessFlags = { icmp: '-I', udp: '-U', tcp: '-T' } as const;
  for (const family of [4, 6] as const) {
    const { server, hops, unreachable, prohibited, blackHole } = labAddresses[family];

    for (const protocol of ['icmp', 'udp', 'tcp'] as const) {
      test(`IPv${family}: the system's traceroute by ${protocol} sees the same hops`, async () => {
        const ours = await run({ host: server, protocol });
        const theirs = await lab.client.run('traceroute', '-n', witnessFlags[protocol], server);
        const witnessed = [...theirs.matchAll(/^ *\d+ {2}(\S+)/gm)].map(([, address]) => address);
        assert.equal(ours.status, 'up', ours.message);
        assert.deepEqual(addressesOf(ours), witnessed);
        assert.deepEqual(witnessed, hops);
        assert.equal(ours.metrics['hops'], 3);
        assert.equal(ours.metrics['lossPercent'], 0);
      });

      test(`IPv${family}: by ${protocol} a refusing router is the end, and is named`, async () => {
        const outcome = await run({ host: unreachable, protocol });
        assert.equal(outcome.status, 'down');
        assert.equal(outcome.reason, 'unreachable');
        assert.equal(outcome.source, 'path');
        const text = family === 4 ? 'host unreachable' : 'address unreachable';
        assert.equal(outcome.message, `Hop 3 (${hops[1]}) reports ${unreachable}: ${text}.`);
      });

      test(`IPv${family}: by ${protocol} a user without privileges sees the same hops`, async () => {
        using _ = becomeNobody();
        const outcome = await run({ host: server, protocol });
        assert.equal(outcome.status, 'up', outcome.message);
        assert.deepEqual(addressesOf(outcome), hops);
      });
    }

    test(`IPv${family}: a prohibited path says so`, async () => {
      assert.match((await run({ host: prohibited })).message, /communication administratively prohibited\.$/);
    });

    test(`IPv${family}: behind a black hole nobody answers, and the last who did is named`, async () => {
      const outcome = await run({ host: blackHole });
      assert.equal(outcome.status, 'down');
      assert.equal(outcome.reason, 'timeout');
      assert.equal(
        outcome.message,
        `${blackHole} was not reached in 6 hops. The last to answer was hop 2, ${hops[1]}.`,
      );
      assert.equal(outcome.metrics['hops'], 2);
    });
  }

  const { server, hops } = labAddresses[4];

  test('all packets of a trace belong to one flow, so that they go one way', async () => {
    await lab.nearRouter.run('nft', flowCounters);
    await run({ host: server, protocol: 'icmp' });
    await run({ host: server, protocol: 'udp' });
    const counted = await lab.nearRouter.run('nft', '-j', 'list', 'table', 'inet', 'flows');
    await lab.nearRouter.run('nft', 'delete table inet flows');
    const sets = JSON.parse(counted).nftables.flatMap((entry: { set?: { name: string; elem?: unknown[] } }) =>
      entry.set ? [[entry.set.name, entry.set.elem?.length]] : [],
    );
    assert.deepEqual(sets, [
      ['icmpFlows', 1],
      ['udpFlows', 1],
    ]);
  });

  test('a router that keeps silent is a gap in the path, not its end', async () => {
    await lab.nearRouter.filter('ip saddr 10.90.2.2 icmp type time-exceeded drop');
    const outcome = await run({ host: server });
    await lab.nearRouter.filter();
    assert.equal(outcome.status, 'up', outcome.message);
    assert.deepEqual(addressesOf(outcome), [hops[0], '*', hops[2]]);
    assert.deepEqual(
      hopsOf(outcome).map(({ lossPercent }) => lossPercent),
      [0, 100, 0],
    );
  });

  test('loss on the way to the target is counted', async () => {
    await lab.nearRouter.filter('icmp type echo-reply numgen inc mod 2 0 drop');
    const outcome = await run({ host: server, queries: 4 });
    await lab.nearRouter.filter();
    assert.equal(outcome.status, 'up');
    assert.equal(outcome.metrics['lossPercent'], 50);
  });

  test('hops are told in their order while the trace goes on', async () => {
    const told: string[] = [];
    await run({ host: server, queries: 1 }, testContext({ onProgress: ({ text }) => void told.push(text) }));
    assert.equal(told.length, 3);
    for (const [index, text] of told.entries()) {
      assert.match(text, new RegExp(`^ ${index + 1}  ${hops[index]}  \\d+\\.\\d\\d ms$`));
    }
  });

  test('names of the hops are looked up on request', async () => {
    await using folder = await temporaryFolder('hosts');
    const hostsPath = join(folder.path, 'hosts');
    await writeFile(hostsPath, `${hops[0]} near.example\n`);
    const net = createNetwork({
      clock: systemClock,
      resolver: new Resolver({ clock: systemClock, hostsPath, servers: [] }),
    });
    const told: string[] = [];
    const outcome = await run(
      { host: server, names: true },
      testContext({ net, onProgress: ({ text }) => void told.push(text) }),
    );
    assert.deepEqual(hopsOf(outcome)[0]?.names, { [hops[0]]: 'near.example' });
    assert.equal(hopsOf(outcome)[1]?.names, undefined);
    assert.match(told[0] ?? '', /^ 1 {2}near\.example \(10\.90\.1\.2\) {2}/);
  });

  test('equal paths have equal hashes, and another path has another', async () => {
    const byIcmp = await run({ host: server });
    const byUdp = await run({ host: server, protocol: 'udp' });
    const fromHop2 = await run({ host: server, firstHop: 2 });
    assert.ok(byIcmp.detail['pathHash']);
    assert.equal(byIcmp.detail['pathHash'], byUdp.detail['pathHash']);
    assert.notEqual(byIcmp.detail['pathHash'], fromHop2.detail['pathHash']);
    assert.deepEqual(addressesOf(fromHop2), hops.slice(1));
  });

  test('a raw socket serves where no datagram socket is allowed', async () => {
    await allowDatagrams('1 0');
    const outcome = await run({ host: server });
    await allowDatagrams('0 2147483647');
    assert.equal(outcome.detail['via'], 'raw');
    assert.deepEqual(addressesOf(outcome), hops);
  });

  test('CH5: without any ICMP socket a trace goes by UDP and says so; one that must go by ICMP says what to do', async () => {
    await allowDatagrams('1 0');
    using nobody = becomeNobody();
    const outcome = await run({ host: server, protocol: 'icmp' });
    const byUdp = await run({ host: server, protocol: 'udp' });
    const usual = await run({ host: server });
    nobody[Symbol.dispose]();
    await allowDatagrams('0 2147483647');
    assert.equal(outcome.status, 'unknown');
    assert.equal(outcome.reason, 'unsupported');
    assert.match(outcome.message, /--protocol udp/);
    assert.equal(byUdp.status, 'up', byUdp.message);
    assert.equal(usual.status, 'up', usual.message);
    assert.match(usual.message, /reached in 3 hops: .* \(by UDP, because this user may open no ICMP socket\)$/);
    assert.equal(usual.detail['via'], 'udp');
  });

  test('a busy event loop calls no hop silent that has answered', async () => {
    const traced = run({ host: server, wait: '20ms' });
    using _busy = busyLoop(60);
    const outcome = await traced;
    assert.deepEqual(addressesOf(outcome), hops);
    assert.equal(outcome.metrics['lossPercent'], 0);
  });

  test('CH6: a closed TCP port is timed by the kernel, however busy the event loop is', async () => {
    for (const family of [4, 6] as const) {
      const traced = run({ host: labAddresses[family].server, protocol: 'tcp', port: 9, wait: '1s' });
      const busyMs = 500;
      using _busy = busyLoop(busyMs);
      const outcome = await traced;
      assert.equal(outcome.status, 'up', outcome.message);
      assert.ok((outcome.latencyMs ?? NaN) < busyMs / 2, `IPv${family}: ${outcome.latencyMs} ms`);
    }
  });

  test('a UDP port that answers and a TCP port that is open are reached like any other', async () => {
    const byUdp = await run({ host: server, protocol: 'udp', port: 53 });
    const byTcp = await run({ host: server, protocol: 'tcp', port: 443 });
    assert.equal(byUdp.status, 'up', byUdp.message);
    assert.equal(byTcp.status, 'up', byTcp.message);
  });
});

/** Sets that keep each different flow they see: what routers hash is the ports, or type, code and checksum. */
const flowCounters = `table inet flows {
  set icmpFlows {
    typeof icmp checksum
    flags dynamic
    size 64
  }
  set udpFlows {
    typeof udp sport . udp dport . udp checksum
    flags dynamic
    size 64
  }
  chain forward {
    type filter hook forward priority 0;
    icmp type echo-request add @icmpFlows { icmp checksum }
    ip daddr ${labAddresses[4].server} udp sport != 0 add @udpFlows { udp sport . udp dport . udp checksum }
  }
}`;
