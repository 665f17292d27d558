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

  async function check(type: 'tcp' | 'udp', host: string): Promise<Outcome> {
    using _client = lab.client.enter();
    const context = testContext({ signal: AbortSignal.timeout(500) });
    const options = { host, port: 9 };
    return type === 'tcp'
      ? await tcp.run(tcp.options.parse(options), context)
      : await udp.run(udp.options.parse(options), context);
  }

  const toldOverIpv4 = [
    ['tcp', labAddresses[4].unreachable, 'down', 'unreachable'],
    ['tcp', labAddresses[4].prohibited, 'down', 'unreachable'],
  ] as const;

  for (const family of [4, 6] as const) {
    const { server, blackHole } = labAddresses[family];
    const table = [
      ['tcp', server, 'down', 'refused'],
      ['tcp', blackHole, 'down', 'timeout'],
      ['udp', server, 'down', 'refused'],
      ['udp', blackHole, 'up', undefined],
      // Linux tells a connecting IPv6 socket nothing of these.
      ...(family === 4 ? toldOverIpv4 : []),
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
});
