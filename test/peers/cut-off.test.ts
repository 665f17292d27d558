import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { echo } from '../../src/checks/echo/echo.ts';
import { http } from '../../src/checks/http/http.ts';
import { icmp } from '../../src/checks/icmp/icmp.ts';
import { ntp } from '../../src/checks/ntp/ntp.ts';
import { tcp } from '../../src/checks/tcp/tcp.ts';
import { udp } from '../../src/checks/udp/udp.ts';
import type { CheckType } from '../../src/core/check.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { createNetwork } from '../../src/net/network.ts';
import { Resolver } from '../../src/net/resolve.ts';
import { testContext } from '../../src/testing/context.ts';
import { create, ip, labHost, labMissing, type LabHost } from '../../src/testing/netlab.ts';
import { tcpServer } from '../../src/testing/tcp-server.ts';
import { missing, temporaryFolder } from './daemon.ts';

/** Longer than the kernel of the seat asks for a neighbour. */
const neighbourMs = 1500;

const execute = promisify(execFile);

interface Given {
  readonly options?: object;
  readonly timeoutMs?: number;
}

/** Asked once and given up after a tenth of a second, so that the tests need not wait for three seconds. */
const quickNeighbours = ['ipv4', 'ipv6'].flatMap((version) => [
  `net.${version}.neigh.wire.mcast_solicit=1`,
  `net.${version}.neigh.wire.retrans_time_ms=100`,
]);

function assertAgent(outcome: Outcome, message: RegExp): void {
  assert.deepEqual([outcome.status, outcome.source], ['unknown', 'agent'], outcome.message);
  assert.ok(['unreachable', 'denied'].includes(outcome.reason ?? ''), outcome.message);
  assert.match(outcome.message, message);
}

describe(
  'SI1: what is missing on this machine is not the fault of a target',
  { skip: labMissing || missing('ip') },
  () => {
    const seat: LabHost = labHost(`watchkeeper-cut-off-${process.pid}`);
    before(async () => {
      await create(seat);
      // The other end of the link is up, and nobody is there.
      await ip(seat, 'link add wire type veth peer name void');
      await seat.run('sysctl', '-q', '-w', ...quickNeighbours);
      await ip(
        seat,
        'address add 10.96.1.1/24 dev wire',
        'address add fd96::1/64 dev wire nodad',
        'link set wire up',
        'link set void up',
        'route add 10.97.0.0/24 via 10.96.1.9',
        'route add fd97::/64 via fd96::9',
        'route add unreachable 10.98.1.0/24',
        'route add prohibit 10.98.2.0/24',
        'route add blackhole 10.98.3.0/24',
        'route add throw 10.98.4.0/24',
        'route add unreachable fd98:1::/64',
        'route add prohibit fd98:2::/64',
        'route add blackhole fd98:3::/64',
      );
    });
    after(() => execute('ip', ['netns', 'delete', seat.namespace]));

    async function check(
      type: CheckType,
      host: string,
      { options = {}, timeoutMs = neighbourMs }: Given = {},
    ): Promise<Outcome> {
      using _seat = seat.enter();
      const url = `http://${host.includes(':') ? `[${host}]` : host}/`;
      const target = type.type === 'http' ? { url } : { host, ...(type.type !== 'icmp' && { port: 9 }) };
      const context = testContext({ signal: AbortSignal.timeout(timeoutMs) });
      return await type.run(type.options.parse({ ...target, ...options }), context);
    }

    for (const [host, message] of [
      ['192.0.2.1', /no route there \(ENETUNREACH\)/],
      ['2001:db8::1', /no route there \(ENETUNREACH\)/],
      ['10.98.1.1', /no route there \(EHOSTUNREACH\)/],
      ['10.98.2.1', /does not allow it \(EACCES\)/],
      ['10.98.3.1', /no route there.*\(EINVAL\)/],
      ['10.98.4.1', /no route there \(ENETUNREACH\)/],
      ['fd98:1::1', /no route there \(E\w+UNREACH\)/],
      ['fd98:2::1', /\(EACCES\)/],
      ['fd98:3::1', /\(EINVAL\)/],
    ] as const) {
      for (const type of [tcp, udp, ntp, http, icmp]) {
        test(`${type.type} to ${host}, where this machine has no route`, async () => {
          assertAgent(await check(type, host), message);
        });
      }
      test(`echo over UDP to ${host}`, async () => {
        assertAgent(await check(echo, host, { options: { protocol: 'udp' } }), message);
      });
    }

    for (const [host, gateway] of [
      ['10.97.0.1', '10.96.1.9'],
      ['fd97::1', 'fd96::9'],
    ] as const) {
      for (const [type, timeoutMs] of [
        [tcp, neighbourMs],
        [tcp, 300],
        [http, neighbourMs],
        [udp, 300],
        [udp, neighbourMs],
      ] as const) {
        test(`${type.type} to ${host} within ${timeoutMs} ms, where the gateway does not answer`, async () => {
          assertAgent(
            await check(type, host, { timeoutMs }),
            new RegExp(`the gateway ${gateway} of this machine does not answer`),
          );
        });
      }
    }

    for (const host of ['10.96.1.7', 'fd96::7']) {
      test(`tcp to ${host}, a host on our own network that is not there, is down`, async () => {
        const outcome = await check(tcp, host);
        assert.deepEqual([outcome.status, outcome.reason, outcome.source], ['down', 'unreachable', 'target']);
        assert.match(outcome.message, new RegExp(`no host answers for ${host} on wire`));
      });

      test(`SI2: udp to ${host} is unknown: nothing has left for it`, async () => {
        const outcome = await check(udp, host);
        assert.deepEqual([outcome.status, outcome.reason], ['unknown', 'unreachable'], outcome.message);
      });
    }

    test('a link without a carrier, and an interface that is down', async () => {
      await ip(seat, 'link set void down');
      assertAgent(await check(tcp, '10.96.1.7'), /the network interface wire of this machine is down/);
      assertAgent(await check(udp, '10.96.1.7'), /the network interface wire of this machine is down/);
      await ip(seat, 'link set wire down');
      assertAgent(await check(tcp, '10.96.1.7'), /no route there/);
    });
  },
);

describe('CB6: a name with addresses of both IP versions', { skip: labMissing || missing('ip') }, () => {
  const machine = labHost(`watchkeeper-one-version-${process.pid}`);
  before(async () => {
    await create(machine);
    await ip(machine, 'link add wire type veth peer name void', 'link set wire up', 'link set void up');
  });
  after(() => execute('ip', ['netns', 'delete', machine.namespace]));

  for (const [version, address, other] of [
    ['IPv6', 'fd96::1/64', '192.0.2.1'],
    ['IPv4', '10.96.2.1/24', '2001:db8::1'],
  ] as const) {
    test(`is up on a machine with ${version} only, which tries no other address first`, async () => {
      await ip(machine, `address add ${address} dev wire${version === 'IPv6' ? ' nodad' : ''}`);
      await using folder = await temporaryFolder('addresses');
      const own = address.replace(/\/.*/, '');
      // Links take their time, IPv6 most.
      await machine.run('ping', '-n', '-c', '1', '-i', '0.2', '-w', '15', own);
      await writeFile(join(folder.path, 'hosts'), `${other} both.test\n${own} both.test\n`);
      const resolver = new Resolver({ clock: systemClock, hostsPath: join(folder.path, 'hosts'), servers: [] });
      using _there = machine.enter();
      await using server = await tcpServer(() => {}, { host: own });
      const net = createNetwork({ clock: systemClock, resolver });
      const outcome = await tcp.run(tcp.options.parse({ host: 'both.test', port: server.port }), testContext({ net }));
      assert.equal(outcome.status, 'up', outcome.message);
      assert.deepEqual([outcome.detail['address'], outcome.detail['tried']], [own, undefined]);
      await ip(machine, `address del ${address} dev wire`);
    });
  }
});
