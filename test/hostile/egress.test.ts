import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckType } from '../../src/core/check.ts';
import { systemClock as clock } from '../../src/core/clock.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { isPassiveType } from '../../src/checks/modules.ts';
import { checkTypes } from '../../src/checks/registry.ts';
import { EgressPolicy } from '../../src/net/dial/egress.ts';
import { createNetwork } from '../../src/net/network.ts';
import { Resolver } from '../../src/net/resolve.ts';
import { dnsServer, record, replyTo, zone } from '../../src/testing/dns-server.ts';
import { tcpServer } from '../../src/testing/tcp-server.ts';
import { udpServer } from '../../src/testing/udp-server.ts';

const signal = (): AbortSignal => AbortSignal.timeout(3000);

/** The options of each type that lead to a host and, where there are ports, to this port. */
function optionsFor({ type, options }: CheckType, host: string, port: number) {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const byType: Readonly<Record<string, object>> = {
    http: { url: `http://${bracketed}:${port}/` },
    websocket: { url: `ws://${bracketed}:${port}/` },
    dns: { name: 'example.test', server: `${bracketed}:${port}` },
    domain: { name: 'example.test', server: `http://${bracketed}:${port}/` },
    icmp: { host },
    traceroute: { host },
  };
  return options.parse(byType[type] ?? { host, port });
}

async function run(
  check: CheckType,
  host: string,
  { port = 80, policy = new EgressPolicy(), resolver = new Resolver({ clock }) },
) {
  const net = createNetwork({ clock, policy, resolver });
  return await check.run(optionsFor(check, host, port), { net, clock, signal: signal() });
}

function assertDenied(outcome: Outcome): void {
  assert.equal(outcome.reason, 'denied', outcome.message);
  assert.equal(outcome.status, 'unknown');
  assert.equal(outcome.source, 'agent');
}

for (const check of checkTypes.filter(({ type }) => !isPassiveType(type))) {
  describe(`the ${check.type} check and addresses that the egress policy denies`, () => {
    for (const host of [
      '169.254.169.254',
      'fd00:ec2::254',
      '::ffff:169.254.169.254',
      '64:ff9b::a9fe:a9fe',
      '0.0.0.0',
    ]) {
      test(`${host} is denied`, async () => assertDenied(await run(check, host, {})));
    }

    test('a name that leads there is denied by its address', async () => {
      await using server = await dnsServer(zone(['metadata.test 60 A 169.254.169.254']));
      const resolver = new Resolver({ clock, servers: [server] });
      assertDenied(await run(check, 'metadata.test', { resolver }));
    });

    test('not one packet reaches a denied target', async () => {
      let heard = 0;
      await using tcp = await tcpServer(() => heard++);
      await using udp = await udpServer(() => heard++);
      const policy = new EgressPolicy({ deny: ['127.0.0.0/8'] });
      for (const { port } of [tcp, udp]) assertDenied(await run(check, '127.0.0.1', { port, policy }));
      assert.equal(heard, 0);
    });
  });
}

describe('only canonical literals are addresses', () => {
  const tcp = checkTypes.find(({ type }) => type === 'tcp');
  assert.ok(tcp);
  for (const host of ['0x7f.1', '127.1', '2130706433', '0177.0.0.1', '0x7f000001', '127.0.0.01', '0', '1.2.3']) {
    test(`${host} is a typing error, and to the resolver a name that does not exist`, async () => {
      assert.equal(tcp.options.safeParse({ host, port: 80 }).success, false);
      await using server = await dnsServer((query) =>
        replyTo(query, { rcode: 3, authorities: [record('. 60 SOA a. b. 1 2 3 4 60')] }),
      );
      const resolver = new Resolver({ clock, servers: [server] });
      await assert.rejects(resolver.resolve(host, { signal: AbortSignal.timeout(5000) }), { reason: 'name-not-found' });
    });
  }
});
