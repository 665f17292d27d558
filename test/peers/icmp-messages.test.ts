import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { icmp } from '../../src/checks/icmp/icmp.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { ip, labMissing } from '../../src/testing/netlab.ts';
import { testContext } from '../../src/testing/context.ts';
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
import { becomeNobody } from './nobody.ts';

const replyAfterMs = 150;

function run(options: Record<string, unknown>): Promise<Outcome> {
  return icmp.run(icmp.options.parse({ interval: '10ms', wait: '400ms', ...options }), testContext());
}

function replying(probe: Probe): ScriptedAnswer {
  return { from: scriptedTarget[probe.family], message: echoReplyMessage(probe), afterMs: replyAfterMs };
}

describe('ICMP messages about an echo request', { skip: labMissing || missing('ip', 'ping', 'sysctl') }, () => {
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

  const allowDatagrams = (groups: string): Promise<string> =>
    path.client.run('sysctl', '-q', '-w', `net.ipv4.ping_group_range=${groups}`);

  /** Runs by each kind of access in turn. */
  async function byEachMeans(options: Record<string, unknown>): Promise<Record<string, Outcome>> {
    const datagram = await run(options);
    await allowDatagrams('1 0');
    const raw = await run(options);
    const nobody = becomeNobody();
    const ping = await run(options);
    nobody[Symbol.dispose]();
    await allowDatagrams('0 2147483647');
    return { datagram, raw, ping };
  }

  // What comes first, by family; the reply follows 150 ms later.
  const messages = [
    [4, 'a Redirect', 5, 1, 0x0a5f0003],
    [4, 'a Source Quench', 4, 0, 0],
    [4, 'a Parameter Problem', 12, 0, 0],
    [4, 'host unreachable', 3, 1, 0],
    [4, 'protocol unreachable', 3, 2, 0],
    [4, 'time exceeded, as of another copy of the packet', 11, 0, 0],
    [6, 'no route to destination', 1, 0, 0],
    [6, 'address unreachable', 1, 3, 0],
    [6, 'a Parameter Problem', 4, 1, 0],
    [6, 'hop limit exceeded', 3, 0, 0],
  ] as const;
  for (const [family, name, type, code, rest] of messages) {
    test(`CB2: IPv${family}: after ${name} the reply is still waited for, and it wins`, async () => {
      path.play((probe) => [
        { from: scriptedRouter(family, 1), message: icmpErrorMessage([type, code], quoteOf(probe), rest) },
        replying(probe),
      ]);
      const outcomes = await byEachMeans({ host: scriptedTarget[family], count: 2 });
      for (const [means, outcome] of Object.entries(outcomes)) {
        assert.equal(outcome.detail['via'], means);
        assert.equal(outcome.status, 'up', `${means}: ${outcome.message}`);
        assert.equal(outcome.metrics['received'], 2);
        assert.ok(
          (outcome.metrics['rttMinMs'] ?? 0) >= replyAfterMs - 20,
          `${means}: ${outcome.metrics['rttMinMs']} ms`,
        );
        const isVerdict = type !== 4 || family === 6 ? type !== 5 : false;
        assert.equal('icmpErrors' in outcome.detail, isVerdict, `${means}: ${JSON.stringify(outcome.detail)}`);
      }
    });
  }

  test('CB2: messages that say nothing of the packet leave silence a timeout, not "unreachable"', async () => {
    for (const [type, code] of [
      [5, 1],
      [4, 0],
    ] as const) {
      path.play((probe) => [{ from: scriptedRouter(4, 1), message: icmpErrorMessage([type, code], quoteOf(probe)) }]);
      for (const [means, outcome] of Object.entries(await byEachMeans({ host: scriptedTarget[4] }))) {
        assert.equal(outcome.reason, 'timeout', `${means}: ${outcome.message}`);
        assert.equal(outcome.source, 'target');
      }
    }
  });

  test('CA2: whatever error comes without a reply, it is named and is no bug of ours', async () => {
    const codes = [
      // Not 4: without the DF bit nobody has a right to "fragmentation needed", and Linux does not believe it.
      ...Array.from({ length: 16 }, (_, code) => [4, 3, code] as const).filter(([, , code]) => code !== 4),
      ...[0, 1, 2].map((code) => [4, 12, code] as const),
      ...Array.from({ length: 8 }, (_, code) => [6, 1, code] as const),
      ...[0, 1, 2].map((code) => [6, 4, code] as const),
      [6, 42, 0] as const,
    ];
    for (const [family, type, code] of codes) {
      path.play((probe) => [
        { from: scriptedRouter(family, 1), message: icmpErrorMessage([type, code], quoteOf(probe)) },
      ]);
      const outcome = await run({ host: scriptedTarget[family], count: 3, wait: '30ms' });
      assert.equal(outcome.reason, 'unreachable', `${family} ${type} ${code}: ${outcome.message}`);
      assert.equal(outcome.status, 'down');
      assert.equal(outcome.source, 'path');
      assert.equal(outcome.detail['reportedBy'], scriptedRouter(family, 1));
    }
  });

  test('MU17: an error that the target itself sends is not blamed on the path', async () => {
    path.play((probe) => [{ from: scriptedTarget[4], message: icmpErrorMessage([3, 2], quoteOf(probe)) }]);
    const outcome = await run({ host: scriptedTarget[4], wait: '30ms' });
    assert.equal(outcome.source, 'target');
    assert.equal(outcome.message, `${scriptedTarget[4]} says about ${scriptedTarget[4]}: protocol unreachable.`);
  });

  test('MU16: the wait does not end with the first reply while others are missing', async () => {
    // The reply to the first packet comes at once, the one to the second 150 ms later.
    path.play((probe) => [{ ...replying(probe), afterMs: probe.nth === 0 ? 0 : replyAfterMs }]);
    const outcome = await run({ host: scriptedTarget[4], count: 2 });
    assert.equal(outcome.metrics['received'], 2, outcome.message);
  });

  test('CK7: each round trip is in the detail, in the order of sending, null where no reply came', async () => {
    path.play((probe) =>
      probe.nth === 1 ? [] : [{ ...replying(probe), afterMs: probe.nth === 0 ? replyAfterMs : 0 }],
    );
    const { detail, metrics } = await run({ host: scriptedTarget[4], count: 3, degraded: { loss: 90 } });
    const [first, second, third] = detail['rttsMs'] as readonly (number | null)[];
    assert.equal(first, metrics['rttMaxMs']);
    assert.equal(second, null);
    assert.equal(third, metrics['rttMinMs']);
  });

  test('CK6, SI1: a host of our own network that is not there is down, and it is the target that does not answer', async () => {
    // With the default wait: Linux needs 3 s to find out.
    const [four, six] = await Promise.all(
      ['10.95.0.77', 'fd95::77'].map((host) => icmp.run(icmp.options.parse({ host }), testContext())),
    );
    for (const outcome of [four, six]) {
      assert.ok(outcome);
      assert.equal(outcome.status, 'down', outcome.message);
      assert.equal(outcome.reason, 'unreachable');
      assert.equal(outcome.source, 'target');
      assert.match(outcome.message, /unreachable: no host answers for (?:10\.95\.0\.|fd95::)77 on wire\.$/);
    }
  });

  test('SI1: behind a gateway that does not answer everything is unknown, and the agent is to blame', async () => {
    await ip(path.client, 'route add 10.96.0.0/16 via 10.95.0.78', 'route add fd96::/16 via fd95::78');
    for (const host of ['10.96.1.1', 'fd96::1']) {
      const outcome = await icmp.run(icmp.options.parse({ host }), testContext());
      assert.equal(outcome.status, 'unknown', outcome.message);
      assert.equal(outcome.source, 'agent');
      assert.match(outcome.message, /the gateway (?:10\.95\.0\.78|fd95::78) of this machine does not answer\.$/);
    }
  });

  test('CA2: where ping may not be started the outcome says so, and what to do', async () => {
    // As op-07: no capability can be gained, so the kernel refuses to start a ping that has one.
    const outcome = await withoutCapabilities(path);
    assert.equal(outcome.status, 'unknown');
    assert.equal(outcome.reason, 'unsupported');
    assert.match(outcome.message, /ping.*ping_group_range/s);
  });
});

async function withoutCapabilities({ client }: ScriptedPath): Promise<Outcome> {
  await client.run('sysctl', '-q', '-w', 'net.ipv4.ping_group_range=1 0');
  const command = new URL('../../bin/watchkeeper', import.meta.url).pathname;
  const user = ['--reuid', '54321', '--regid', '54321', '--clear-groups', '--no-new-privs', '--bounding-set', '-all'];
  const text = await client.run(
    'setpriv',
    ...user,
    'sh',
    '-c',
    `HOME=/tmp ${command} check icmp 10.95.0.2 --json || true`,
  );
  await client.run('sysctl', '-q', '-w', 'net.ipv4.ping_group_range=0 2147483647');
  return JSON.parse(text);
}
