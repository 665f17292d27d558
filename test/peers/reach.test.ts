import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tcp } from '../../src/checks/tcp/tcp.ts';
import { udp } from '../../src/checks/udp/udp.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { testContext } from '../../src/testing/context.ts';
import { labAddresses, labMissing, openNetLab, type NetLab } from '../../src/testing/netlab.ts';
import { missing } from './daemon.ts';

describe('what routers say of a target', { skip: labMissing || missing('ip', 'nft') }, () => {
  let lab: NetLab;
  before(async () => void (lab = await openNetLab()));
  after(() => lab[Symbol.asyncDispose]());

  async function check(type: 'tcp' | 'udp', host: string, timeoutMs = 500): Promise<Outcome> {
    using _client = lab.client.enter();
    const context = testContext({ signal: AbortSignal.timeout(timeoutMs) });
    const options = { host, port: 9 };
    return type === 'tcp'
      ? await tcp.run(tcp.options.parse(options), context)
      : await udp.run(udp.options.parse(options), context);
  }

  for (const family of [4, 6] as const) {
    const { server, blackHole } = labAddresses[family];
    const table = [
      ['tcp', server, 'down', 'refused'],
      ['tcp', blackHole, 'down', 'timeout'],
      ['udp', server, 'down', 'refused'],
      ['udp', blackHole, 'up', undefined],
    ] as const;
    for (const [type, host, status, reason] of table) {
      test(`${type} to ${host} is ${status}, ${reason ?? 'open or no response'}`, async () => {
        const outcome = await check(type, host);
        assert.equal(outcome.status, status, outcome.message);
        assert.equal(outcome.reason, reason);
        if (reason !== undefined) assert.ok(outcome.message.includes(host), outcome.message);
      });
    }
  }

  /** What the far router says of each address. */
  const said = {
    4: [
      ['net-unreachable', '10.90.69.1', 'unreachable'],
      ['host-unreachable', '10.90.69.2', 'unreachable'],
      ['prot-unreachable', '10.90.69.3', 'refused'],
      ['port-unreachable', '10.90.69.4', 'refused'],
      ['net-prohibited', '10.90.69.5', 'unreachable'],
      ['host-prohibited', '10.90.69.6', 'unreachable'],
      ['admin-prohibited', '10.90.69.7', 'unreachable'],
    ],
    6: [
      ['no-route', 'fd90:0:0:69::1', 'unreachable'],
      ['admin-prohibited', 'fd90:0:0:69::2', 'unreachable'],
      ['addr-unreachable', 'fd90:0:0:69::3', 'unreachable'],
      ['port-unreachable', 'fd90:0:0:69::4', 'refused'],
      ['policy-fail', 'fd90:0:0:69::5', 'unreachable'],
      ['reject-route', 'fd90:0:0:69::6', 'unreachable'],
    ],
  } as const;
  /** Linux tells a connecting socket with its second SYN, a second after the first. */
  const secondSynMs = 3000;

  for (const family of [4, 6] as const) {
    describe(`CB1: what a router says over IPv${family} is never the fault of this agent`, () => {
      const [ip, icmp] = family === 4 ? ['ip', 'icmp'] : ['ip6', 'icmpv6'];
      before(() =>
        lab.farRouter.filter(
          ...said[family].map(([type, host]) => `${ip} daddr ${host} reject with ${icmp} type ${type}`),
        ),
      );
      after(() => lab.farRouter.filter());

      for (const [type, host, reason] of said[family]) {
        test(`tcp, ${type}`, async () => {
          const outcome = await check('tcp', host, secondSynMs);
          assert.deepEqual([outcome.status, outcome.reason], ['down', reason], outcome.message);
          assert.equal(outcome.source, reason === 'refused' ? 'target' : 'path');
        });

        test(`SI2: udp, ${type}`, async () => {
          const outcome = await check('udp', host);
          assert.equal(outcome.status, 'down', outcome.message);
          assert.equal(outcome.reason, type === 'port-unreachable' ? 'refused' : 'unreachable');
          const router = family === 4 ? '10.90.2.2' : 'fd90:0:0:2::2';
          assert.ok(outcome.message.includes(`reports ${router}`), outcome.message);
        });
      }
    });
  }
});
