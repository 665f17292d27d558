import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { dns } from '../../src/checks/dns/dns.ts';
import { icmp } from '../../src/checks/icmp/icmp.ts';
import { ntp } from '../../src/checks/ntp/ntp.ts';
import { smtp } from '../../src/checks/smtp/smtp.ts';
import { ssh } from '../../src/checks/ssh/ssh.ts';
import { traceroute } from '../../src/checks/traceroute/traceroute.ts';
import type { CheckType } from '../../src/core/check.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { testContext } from '../../src/testing/context.ts';
import { dnsServer, record, replyTo } from '../../src/testing/dns-server.ts';
import { ip, labAddresses, labMissing, openNetLab, type NetLab } from '../../src/testing/netlab.ts';
import { ntpServer } from '../../src/testing/ntp-server.ts';
import { tcpServer } from '../../src/testing/tcp-server.ts';
import { missing } from './daemon.ts';
import { becomeNobody } from './nobody.ts';

/** Of the client, beside its usual ones; the router lets only these pass. */
const secondAddress = { 4: '10.90.1.77', 6: 'fd90:0:0:1::77' } as const;

describe(
  'CH12: source and dscp of every check that sends packets',
  { skip: labMissing || missing('ip', 'nft', 'ping') },
  () => {
    let lab: NetLab;
    const servers = new AsyncDisposableStack();
    before(async () => {
      lab = await openNetLab();
      await ip(lab.client, 'address add 10.90.1.77/24 dev right', 'address add fd90:0:0:1::77/64 dev right nodad');
      await lab.nearRouter.filter(
        'iifname "left" ip saddr != 10.90.1.77 drop',
        'iifname "left" ip dscp != ef drop',
        'iifname "left" meta nfproto ipv6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
        'iifname "left" ip6 saddr != fd90:0:0:1::77 drop',
        'iifname "left" ip6 dscp != ef drop',
      );
      using _server = lab.server.enter();
      const host = labAddresses[4].server;
      servers.use(
        await dnsServer((query) => replyTo(query, { answers: [record('a.test 60 A 192.0.2.1')] }), { host, port: 53 }),
      );
      servers.use(await ntpServer({ place: { host, port: 123 } }));
      for (const [port, greeting] of [
        [22, 'SSH-2.0-test\r\n'],
        [25, '220 mail.test\r\n'],
      ] as const)
        servers.use(
          await tcpServer((socket) => socket.on('data', () => socket.write('250 yes\r\n')).write(greeting), {
            host,
            port,
          }),
        );
    });
    after(async () => {
      await servers.disposeAsync();
      await lab[Symbol.asyncDispose]();
    });

    async function run(type: CheckType, options: object, timeoutMs = 8000): Promise<Outcome> {
      using _client = lab.client.enter();
      return await type.run(type.options.parse(options), testContext({ signal: AbortSignal.timeout(timeoutMs) }));
    }

    const { server } = labAddresses[4];
    const cases: readonly (readonly [type: CheckType, options: object, family: 4 | 6])[] = [
      ...([4, 6] as const).map((family) => [icmp, { host: labAddresses[family].server }, family] as const),
      ...['icmp', 'udp', 'tcp'].flatMap((protocol) =>
        ([4, 6] as const).map(
          (family) => [traceroute, { host: labAddresses[family].server, protocol }, family] as const,
        ),
      ),
      ...['udp', 'tcp'].map((protocol) => [dns, { server, name: 'a.test', protocol }, 4] as const),
      [ntp, { host: server }, 4],
      [ssh, { host: server }, 4],
      [smtp, { host: server, security: 'none' }, 4],
    ];
    for (const [type, options, family] of cases) {
      const settings = { source: secondAddress[family], dscp: 'ef' };
      test(`${type.type} ${JSON.stringify(options)}`, async () => {
        const outcome = await run(type, { ...options, ...settings });
        assert.equal(outcome.status, 'up', outcome.message);
      });
    }

    test('without them the router lets nothing pass, so that the tests above can fail', async () => {
      for (const settings of [{}, { source: secondAddress[4] }, { dscp: 'ef' }]) {
        const outcome = await run(icmp, { host: server, wait: '100ms', ...settings });
        assert.deepEqual([outcome.status, outcome.metrics['received']], ['down', 0], outcome.message);
      }
    });

    test('a source that is an interface is sent from, and one that this machine does not have is the fault of the agent', async () => {
      for (const [type, options] of [
        [icmp, { host: '10.90.1.2' }],
        [traceroute, { host: '10.90.1.2', protocol: 'udp' }],
      ] as const) {
        const outcome = await run(type, { ...options, source: 'right' });
        assert.equal(outcome.status, 'up', outcome.message);
        for (const source of ['absent', '192.0.2.77']) {
          const { status, source: whose, message } = await run(type, { ...options, source });
          assert.deepEqual([status, whose], ['unknown', 'agent'], message);
        }
      }
    });

    test('a user who may open no ICMP socket pings by the ping command, from there and marked so', async () => {
      await lab.client.run('sysctl', '-q', '-w', 'net.ipv4.ping_group_range=1 0');
      using _client = lab.client.enter();
      using _nobody = becomeNobody();
      const options = icmp.options.parse({ host: server, source: secondAddress[4], dscp: 'ef' });
      const outcome = await icmp.run(options, testContext());
      assert.equal(outcome.detail['via'], 'ping');
      assert.equal(outcome.status, 'up', outcome.message);
    });
  },
);
