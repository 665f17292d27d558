import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { traceroute } from '../../src/checks/traceroute/traceroute.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { EgressPolicy } from '../../src/net/dial/egress.ts';
import { createNetwork } from '../../src/net/network.ts';
import { testContext } from '../../src/testing/context.ts';
import { labMissing } from '../../src/testing/netlab.ts';
import {
  echoReplyMessage,
  icmpErrorMessage,
  openScriptedPath,
  quoteOf,
  scriptedRouter,
  scriptedTarget,
  type Probe,
  type ScriptedAnswer,
  type ScriptedPath,
} from '../../src/testing/scripted-path.ts';
import { missing } from './daemon.ts';

const families = [4, 6] as const;
const udp = 17;
/** Types and codes by family. */
const timeExceeded = { 4: [11, 0], 6: [3, 0] } as const;
const portUnreachable = { 4: [3, 3], 6: [1, 4] } as const;
const prohibited = { 4: [3, 13], 6: [1, 1] } as const;

function run(options: Record<string, unknown>): Promise<Outcome> {
  return traceroute.run(traceroute.options.parse({ wait: '300ms', maxHops: 5, ...options }), testContext());
}

/** For each hop who answered, joined; `*` for nobody. */
function pathOf({ detail }: Outcome): string[] {
  return (detail['hops'] as unknown as { addresses: string[] }[]).map(({ addresses }) => addresses.join() || '*');
}

/** What the router at this distance says, quoting so many bytes behind the IP header. */
function passed(probe: Probe, quoted = Infinity): ScriptedAnswer {
  const { family, ttl } = probe;
  return { from: scriptedRouter(family, ttl), message: icmpErrorMessage(timeExceeded[family], quoteOf(probe, quoted)) };
}

function reached(probe: Probe, quoted = Infinity): ScriptedAnswer {
  const { family, protocol } = probe;
  const message =
    protocol === udp ? icmpErrorMessage(portUnreachable[family], quoteOf(probe, quoted)) : echoReplyMessage(probe);
  return { from: scriptedTarget[family], message };
}

/** Two routers at hop 1: one for the first packet, the other for the rest. */
function branches(first: string, second: string): (probe: Probe) => readonly ScriptedAnswer[] {
  return (probe) =>
    probe.ttl === 1 ? [{ ...passed(probe), from: probe.nth === 0 ? first : second }] : [reached(probe)];
}

describe('what routers say of the packets of a traceroute', { skip: labMissing || missing('ip', 'ping') }, () => {
  let path: ScriptedPath;
  let home: Disposable;
  before(async () => {
    path = await openScriptedPath();
    home = path.client.enter();
  });
  after(async () => {
    home[Symbol.dispose]();
    await path[Symbol.asyncDispose]();
  });

  for (const family of families) {
    const host = scriptedTarget[family];
    const [one, two, three] = [1, 2, 3].map((n) => scriptedRouter(family, n));

    for (const parallel of [1, 16]) {
      for (const silent of [1, 2, 3]) {
        test(`CB3: IPv${family}: hops keep their places where 8 bytes are quoted and hop ${silent} is silent, parallel ${parallel}`, async () => {
          path.play((probe) => {
            if (probe.ttl === silent) return [];
            return [probe.ttl < 4 ? passed(probe, 8) : reached(probe, 8)];
          });
          const outcome = await run({ host, protocol: 'udp', parallel });
          assert.equal(outcome.status, 'up', outcome.message);
          const expected = [one, two, three, host].map((address, index) => (index + 1 === silent ? '*' : address));
          assert.deepEqual(pathOf(outcome), expected);
        });
      }
    }

    test(`CB3: IPv${family}: only the target quotes 8 bytes`, async () => {
      path.play((probe) => [probe.ttl < 3 ? passed(probe) : reached(probe, 8)]);
      const outcome = await run({ host, protocol: 'udp' });
      assert.equal(outcome.status, 'up', outcome.message);
      assert.deepEqual(pathOf(outcome), [one, two, host]);
      assert.equal(outcome.metrics['lossPercent'], 0);
    });

    test(`CB3: IPv${family}: by ICMP 8 quoted bytes hold the number`, async () => {
      path.play((probe) => (probe.ttl === 2 ? [] : [probe.ttl < 3 ? passed(probe, 8) : reached(probe)]));
      assert.deepEqual(pathOf(await run({ host, protocol: 'icmp' })), [one, '*', host]);
    });

    test(`CB3: IPv${family}: answers that are late are not taken for those of a later hop`, async () => {
      path.play((probe) => [
        { ...(probe.ttl < 4 ? passed(probe, 8) : reached(probe, 8)), ...(probe.ttl === 2 && { afterMs: 400 }) },
      ]);
      const outcome = await run({ host, protocol: 'udp', parallel: 1 });
      assert.deepEqual(pathOf(outcome), [one, '*', three, host]);
    });

    test(`CB19: IPv${family}: one of three packets prohibited: the path goes on, and the hop says who prohibits`, async () => {
      const refusing = scriptedRouter(family, 8);
      for (const protocol of ['icmp', 'udp']) {
        path.play((probe) => {
          if (probe.ttl === 2 && probe.nth === 2)
            return [{ from: refusing, message: icmpErrorMessage(prohibited[family], quoteOf(probe)) }];
          return [probe.ttl < 3 ? passed(probe) : reached(probe)];
        });
        const outcome = await run({ host, protocol });
        assert.equal(outcome.status, 'up', outcome.message);
        assert.deepEqual(pathOf(outcome), [one, `${two},${refusing}`, host]);
        const [, hop] = outcome.detail['hops'] as unknown as { reportedBy?: string }[];
        assert.equal(hop?.reportedBy, refusing);
      }
    });

    test(`CB19: IPv${family}: where two routers answer and one of them ends the path, that one is named`, async () => {
      const refusing = scriptedRouter(family, 8);
      path.play((probe) => {
        if (probe.ttl === 1) return [passed(probe)];
        // A silent packet has not gone on, as far as anybody can tell.
        if (probe.ttl === 2 && probe.nth === 0) return [];
        return [{ from: refusing, message: icmpErrorMessage(prohibited[family], quoteOf(probe)) }];
      });
      const outcome = await run({ host });
      assert.equal(outcome.status, 'down');
      assert.equal(outcome.detail['reportedBy'], refusing);
      assert.match(outcome.message, new RegExp(`^Hop 2 \\(${refusing}\\) reports ${host}: .*prohibited`));
    });

    test(`CB2: IPv${family}: a reply after an error of a router is the reply`, async () => {
      path.play((probe) => {
        if (probe.ttl < 3) return [passed(probe)];
        const error = { from: two ?? '', message: icmpErrorMessage(prohibited[family], quoteOf(probe)) };
        return [error, { ...reached(probe), afterMs: 100 }];
      });
      for (const protocol of ['icmp', 'udp']) {
        const outcome = await run({ host, protocol });
        assert.equal(outcome.status, 'up', `${protocol}: ${outcome.message}`);
        assert.equal(outcome.metrics['hops'], 3);
      }
    });

    test(`MU19: IPv${family}: the hash of a path does not depend on which branch answers first`, async () => {
      const other = scriptedRouter(family, 8);
      path.play(branches(one ?? '', other));
      const there = await run({ host });
      path.play(branches(other, one ?? ''));
      const back = await run({ host });
      assert.notEqual(pathOf(there)[0], pathOf(back)[0]);
      assert.equal(there.detail['pathHash'], back.detail['pathHash']);
    });
  }

  test('CB2: a Redirect neither ends the path nor names a hop', async () => {
    path.play((probe) => {
      const redirect = { from: scriptedRouter(4, 8), message: icmpErrorMessage([5, 1], quoteOf(probe), 0x0a5f0003) };
      if (probe.ttl === 2) return [redirect, { ...passed(probe), afterMs: 100 }];
      return [probe.ttl < 3 ? passed(probe) : reached(probe)];
    });
    const outcome = await run({ host: scriptedTarget[4], protocol: 'icmp' });
    assert.deepEqual(pathOf(outcome), [scriptedRouter(4, 1), scriptedRouter(4, 2), scriptedTarget[4]]);
  });

  test('CH6: a router that answers only the second SYN, which the kernel sends after 1 s, is silent', async () => {
    path.play((probe) => (probe.nth % 2 === 1 ? [passed(probe)] : []));
    const outcome = await run({ host: scriptedTarget[4], protocol: 'tcp', queries: 1, maxHops: 1, wait: '1500ms' });
    assert.deepEqual(pathOf(outcome), ['*']);
  });

  test('SI1: this machine has no route, or the gateway is dead: unknown, by each protocol', async () => {
    await path.client.run('ip', 'route', 'add', '10.96.0.0/16', 'via', '10.95.0.78');
    await path.client.run('sysctl', '-q', '-w', 'net.ipv4.neigh.wire.retrans_time_ms=50');
    for (const protocol of ['icmp', 'udp', 'tcp']) {
      for (const host of ['198.51.100.1', '10.96.1.1']) {
        const outcome = await run({ host, protocol, wait: '2s' });
        assert.equal(outcome.status, 'unknown', `${protocol} to ${host}: ${outcome.message}`);
        assert.equal(outcome.source, 'agent');
      }
    }
  });

  test('CA2: a link-local target by TCP without its zone is a sentence, not a bug', async () => {
    const context = testContext({ net: linkLocalNetwork() });
    for (const host of ['fe80::1', 'fe80::1%nosuch']) {
      for (const protocol of ['icmp', 'udp', 'tcp']) {
        const outcome = await traceroute.run(traceroute.options.parse({ host, protocol, wait: '50ms' }), context);
        assert.notEqual(outcome.reason, 'internal', `${protocol} ${host}: ${outcome.message}`);
        // Without a zone Linux lets UDP take the first interface.
        if (protocol !== 'udp' || host.includes('%')) assert.equal(outcome.status, 'unknown', outcome.message);
      }
    }
  });
});

function linkLocalNetwork() {
  return createNetwork({ clock: systemClock, policy: new EgressPolicy({ allow: ['fe80::/10'] }) });
}
