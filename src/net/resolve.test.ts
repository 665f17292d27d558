import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { tcp } from '../checks/tcp/tcp.ts';
import { systemClock } from '../core/clock.ts';
import type { Address, DnsServer, Family, FamilyChoice } from '../core/network.ts';
import { testContext } from '../testing/context.ts';
import { dnsServer, record, replyTo, silent, zone, type Answer, type DnsTestServer } from '../testing/dns-server.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { createNetwork } from './network.ts';
import { Resolver } from './resolve.ts';

const names = zone([
  'both.test 60 A 192.0.2.1',
  'both.test 60 AAAA 2001:db8::1',
  'six.test 60 AAAA 2001:db8::6',
  'alias.test 10 CNAME both.test',
  'long.test 86400 A 192.0.2.2',
  'short.corp.test 60 A 192.0.2.3',
  'text.test 60 TXT "no address"',
  '1.2.0.192.in-addr.arpa 60 PTR both.test',
  `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa 60 PTR six.test`,
]);

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watchkeeper-resolve-'));
});
after(() => rm(folder, { recursive: true }));

interface Setting {
  readonly servers: readonly DnsServer[];
  readonly hosts?: string;
  readonly resolvConf?: string;
  /** The IP versions of which the machine has an address. */
  readonly families?: readonly Family[];
}

const sources = { 4: { ip: '203.0.113.9', prefixBits: 24 }, 6: { ip: '2001:db8:9::9', prefixBits: 64 } };

let settings = 0;
async function resolverOf({ servers, hosts = '', resolvConf = '', families = [4] }: Setting) {
  const clock = new FakeClock();
  const hostsPath = join(folder, `hosts-${++settings}`);
  const resolvConfPath = join(folder, `resolv.conf-${settings}`);
  await writeFile(hostsPath, hosts);
  await writeFile(resolvConfPath, resolvConf);
  const own = { families: (): readonly Family[] => families, sourceOf: ({ family }: Address) => sources[family] };
  const resolver = new Resolver({ clock, hostsPath, resolvConfPath, nsswitchPath: '', servers, ownAddresses: own });
  const resolve = async (host: string, family: FamilyChoice = 'auto'): Promise<string> =>
    (await resolver.resolve(host, { family, signal: AbortSignal.timeout(10_000) })).ip;
  return { clock, resolver, resolve, hostsPath };
}

describe('what needs no server', () => {
  test('addresses, localhost and the hosts file are known without a query', async () => {
    await using server = await dnsServer(names);
    const hosts = '# comment\n192.0.2.9\tBoth.test alias # another\n2001:db8::9 both.test\nnot-an-address nowhere\n';
    const { resolve } = await resolverOf({ servers: [server], hosts });
    assert.equal(await resolve('192.0.2.1'), '192.0.2.1');
    assert.equal(await resolve('::1'), '::1');
    // As curl and connect(2) reach it; there is no way to ping it as it is written (RFC 4291, section 2.5.5.2).
    assert.equal(await resolve('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(await resolve('localhost', '4'), '127.0.0.1');
    assert.equal(await resolve('localhost', '6'), '::1');
    assert.equal(await resolve('some.LOCALHOST.', '4'), '127.0.0.1');
    assert.equal(await resolve('both.test', '4'), '192.0.2.9');
    assert.equal(await resolve('both.test', '6'), '2001:db8::9');
    assert.equal(await resolve('alias'), '192.0.2.9');
    await assert.rejects(resolve('192.0.2.1', '6'), { message: '192.0.2.1 has no IPv6 address.' });
    assert.equal(server.queries.length, 0);
  });

  test('the hosts file is read again when it has changed', async () => {
    const { clock, resolve, hostsPath } = await resolverOf({ servers: [], hosts: '192.0.2.1 here.test' });
    assert.equal(await resolve('here.test'), '192.0.2.1');
    await writeFile(hostsPath, '192.0.2.22 here.test');
    await clock.advance(1001);
    assert.equal(await resolve('here.test'), '192.0.2.22');
  });
});

describe('which address', () => {
  const table: readonly (readonly [host: string, family: FamilyChoice, ip: string])[] = [
    ['both.test', 'auto', '192.0.2.1'],
    ['both.test', '6', '2001:db8::1'],
    ['six.test', 'auto', '2001:db8::6'],
    ['alias.test', 'auto', '192.0.2.1'],
    ['BOTH.test.', 'auto', '192.0.2.1'],
  ];
  for (const [host, family, ip] of table) {
    test(`${host} by family ${family} is ${ip}`, async () => {
      await using server = await dnsServer(names);
      const { resolve } = await resolverOf({ servers: [server] });
      assert.equal(await resolve(host, family), ip);
    });
  }

  test('a name with too few dots is tried in the search domains first, another one last', async () => {
    await using server = await dnsServer(names);
    const { resolve } = await resolverOf({ servers: [server], resolvConf: 'search corp.test\noptions ndots:1' });
    assert.equal(await resolve('short'), '192.0.2.3');
    assert.equal(await resolve('both.test'), '192.0.2.1');
    await assert.rejects(resolve('short.'), { reason: 'name-not-found' });
    const asked = server.queries.map(({ questions }) => questions[0]?.name);
    assert.deepEqual(asked, ['short.corp.test', 'both.test', 'short']);
  });

  test('addresses have names: from the hosts file, else from the DNS, else none', async () => {
    await using server = await dnsServer(names);
    const { resolver } = await resolverOf({ servers: [server], hosts: '192.0.2.5 listed.test' });
    const waits = { signal: AbortSignal.timeout(5000) };
    assert.equal(await resolver.reverse({ ip: '192.0.2.5', family: 4 }, waits), 'listed.test');
    assert.equal(await resolver.reverse({ ip: '192.0.2.1', family: 4 }, waits), 'both.test');
    assert.equal(await resolver.reverse({ ip: '2001:db8::1', family: 6 }, waits), 'six.test');
    assert.equal(await resolver.reverse({ ip: '192.0.2.200', family: 4 }, waits), undefined);
  });
});

describe('the cache keeps to the time the servers state', () => {
  const table: readonly (readonly [host: string, keptMs: number, why: string])[] = [
    ['both.test', 60_000, 'its TTL'],
    ['alias.test', 10_000, 'the shortest TTL on the way'],
    ['long.test', 3_600_000, 'an hour at most'],
    ['none.test', 20_000, "the zone's time for what is not there"],
  ];
  for (const [host, keptMs, why] of table) {
    test(`${host} is kept for ${keptMs / 1000} s: ${why}`, async () => {
      await using server = await dnsServer(names);
      const { clock, resolve } = await resolverOf({ servers: [server] });
      const ask = (): Promise<unknown> => resolve(host).catch(() => {});
      await ask();
      await clock.advance(keptMs - 1);
      await ask();
      assert.equal(server.queries.length, 1);
      await clock.advance(1);
      await ask();
      assert.equal(server.queries.length, 2);
    });
  }

  test('FC32: a changed address is seen as soon as the TTL is over, at once if it is zero', async () => {
    let serial = 0;
    const changing: Answer = (query, by) => zone([`moving.test 0 A 192.0.2.${++serial}`])(query, by);
    await using server = await dnsServer(changing);
    const { resolve } = await resolverOf({ servers: [server] });
    assert.equal(await resolve('moving.test'), '192.0.2.1');
    assert.equal(await resolve('moving.test'), '192.0.2.2');
  });
});

/** Waits until a server has got so many queries. */
async function arrived(server: DnsTestServer, count: number): Promise<void> {
  while (server.queries.length < count) await new Promise((resolve) => setImmediate(resolve));
}

describe('lookups of one name at the same time', () => {
  test('are one query, and one who leaves does not stop the others', async () => {
    const held = Promise.withResolvers<void>();
    await using server = await dnsServer(async (query, by) => {
      await held.promise;
      return names(query, by);
    });
    const { resolver } = await resolverOf({ servers: [server] });
    const leaver = new AbortController();
    const left = resolver.resolve('both.test', { signal: leaver.signal });
    const stayed = Array.from({ length: 9 }, () =>
      resolver.resolve('both.test', { signal: AbortSignal.timeout(5000) }),
    );
    await arrived(server, 1);
    leaver.abort(new Error('left'));
    await assert.rejects(left, { message: 'left' });
    held.resolve();
    assert.deepEqual(new Set((await Promise.all(stayed)).map(({ ip }) => ip)), new Set(['192.0.2.1']));
    assert.equal(server.queries.length, 1);
  });

  test('stop when the last one has left: no timer and no socket stays', async () => {
    await using server = await dnsServer(silent);
    const { clock, resolver } = await resolverOf({ servers: [server] });
    const controller = new AbortController();
    const lookup = resolver.resolve('both.test', { signal: controller.signal });
    await arrived(server, 1);
    controller.abort(new Error('left'));
    await assert.rejects(lookup, { message: 'left' });
    await clock.advance(0);
    assert.equal(clock.pending, 0);
  });
});

describe('servers that are not well', () => {
  test('the next server is asked when one fails', async () => {
    await using broken = await dnsServer((query) => replyTo(query, { rcode: 2 }));
    await using well = await dnsServer(names);
    const { resolve } = await resolverOf({ servers: [broken, well] });
    assert.equal(await resolve('both.test'), '192.0.2.1');
  });

  test('when all fail it says which were asked and what they said', async () => {
    await using broken = await dnsServer((query) => replyTo(query, { rcode: 2 }));
    await using refusing = await dnsServer((query) => replyTo(query, { rcode: 5 }));
    const { resolve } = await resolverOf({ servers: [broken, refusing] });
    await assert.rejects(resolve('both.test'), {
      reason: 'resolver-failed',
      message: `Looking both.test up failed. 127.0.0.1:${broken.port} answered SERVFAIL. 127.0.0.1:${refusing.port} answered REFUSED.`,
    });
  });

  test('a silent server is given up after its time and the next is asked, as often as the settings say', async () => {
    await using mute = await dnsServer(silent);
    const resolvConf = 'options timeout:1 attempts:3';
    const { clock, resolve } = await resolverOf({ servers: [mute], resolvConf });
    const failed = assert.rejects(resolve('both.test'), { reason: 'resolver-failed', message: /No answer within 1s/ });
    for (const tries of [1, 2, 3]) {
      await arrived(mute, tries);
      await clock.advance(1000);
    }
    await failed;
    assert.equal(mute.queries.length, 3);
  });

  test('NXDOMAIN and a name without addresses are not found, which is no failure of the resolver', async () => {
    await using server = await dnsServer(names);
    const { resolve } = await resolverOf({ servers: [server] });
    const said = `127.0.0.1:${server.port} answered`;
    await assert.rejects(resolve('none.test'), {
      reason: 'name-not-found',
      message: `none.test has no address: ${said} NXDOMAIN for none.test.`,
    });
    await assert.rejects(resolve('text.test'), {
      reason: 'name-not-found',
      message: `text.test has no address: ${said} no A record for text.test, ${said} no AAAA record for text.test.`,
    });
  });

  test('FC25: when no server answers, the checks of names are unknown by fault of the resolver, never down', async () => {
    await using mute = await dnsServer(silent);
    const resolver = new Resolver({ clock: systemClock, servers: [mute] });
    const net = createNetwork({ clock: systemClock, resolver });
    const runs = Array.from({ length: 100 }, (_, index) => {
      const options = tcp.options.parse({ host: `host${index}.test`, port: 80 });
      return tcp.run(options, testContext({ net, signal: AbortSignal.timeout(300) }));
    });
    for (const { status, reason, source, message } of await Promise.all(runs)) {
      assert.deepEqual([status, reason, source], ['unknown', 'resolver-failed', 'resolver']);
      assert.match(message, /^Looking host\d+\.test up, asking 127\.0\.0\.1:\d+: /);
    }
  });

  test('a chain of aliases that loops ends', async () => {
    const answers = [record('a.test 60 CNAME b.test'), record('b.test 60 CNAME a.test')];
    await using server = await dnsServer((query) => replyTo(query, { answers }));
    const { resolve } = await resolverOf({ servers: [server] });
    await assert.rejects(resolve('a.test'), { reason: 'name-not-found' });
  });
});

async function all({ resolver }: { readonly resolver: Resolver }, host: string): Promise<readonly string[]> {
  return (await resolver.resolveAll(host, { signal: AbortSignal.timeout(10_000) })).map(({ ip }) => ip);
}

describe('both IP versions on a machine with both', () => {
  const both = { families: [4, 6] as const };
  test('are asked for side by side, and the order is that of RFC 6724', async () => {
    await using server = await dnsServer(names);
    assert.deepEqual(await all(await resolverOf({ ...both, servers: [server] }), 'both.test'), [
      '2001:db8::1',
      '192.0.2.1',
    ]);
  });

  test('the one that is late by 50 ms is not waited for, and leaves no timer', async () => {
    await using server = await dnsServer((query, by) =>
      query.questions[0]?.type === 'A' ? names(query, by) : undefined,
    );
    const setting = await resolverOf({ ...both, servers: [server] });
    const found = all(setting, 'both.test');
    await arrived(server, 2);
    const state = { isOver: false };
    void found.finally(() => (state.isOver = true));
    // Time passes only here, and long before the server is given up.
    for (let step = 0; step < 20 && !state.isOver; step++) {
      await setting.clock.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(await found, ['192.0.2.1']);
    assert.equal(setting.clock.pending, 0);
  });

  test('with single-request they are asked for one after the other', async () => {
    const open = new Set<string>();
    let together = 0;
    await using server = await dnsServer(async (query, by) => {
      const type = query.questions[0]?.type ?? '';
      together = Math.max(together, open.add(type).size);
      await new Promise((resolve) => setImmediate(resolve));
      open.delete(type);
      return names(query, by);
    });
    const resolvConf = 'options single-request';
    const found = await all(await resolverOf({ ...both, servers: [server], resolvConf }), 'both.test');
    assert.equal(found.length, 2);
    assert.equal(together, 1);
  });

  test('with rotate each lookup begins with the next server', async () => {
    await using one = await dnsServer(names);
    await using two = await dnsServer(names);
    const { resolve } = await resolverOf({ servers: [one, two], resolvConf: 'options rotate' });
    await resolve('both.test');
    await resolve('six.test', '6');
    assert.deepEqual([one.queries.length, two.queries.length], [1, 1]);
  });

  test('a machine with IPv4 only asks for IPv6 only where a name has no IPv4 address', async () => {
    await using server = await dnsServer(names);
    const setting = await resolverOf({ servers: [server], families: [4] });
    assert.deepEqual(await all(setting, 'both.test'), ['192.0.2.1']);
    assert.deepEqual(await all(setting, 'six.test'), ['2001:db8::6']);
    const asked = server.queries.map(({ questions }) => `${questions[0]?.name} ${questions[0]?.type}`);
    assert.deepEqual(asked, ['both.test A', 'six.test A', 'six.test AAAA']);
  });

  test('MU33: only localhost and names below it are this machine', async () => {
    await using server = await dnsServer(names);
    const { resolve } = await resolverOf({ servers: [server] });
    for (const host of ['localhost', 'a.localhost', 'LOCALHOST.']) assert.equal(await resolve(host, '4'), '127.0.0.1');
    for (const host of ['notlocalhost', 'localhost.test', 'localhostx'])
      await assert.rejects(resolve(host, '4'), { reason: 'name-not-found' });
  });

  test('a name that was tried first and does not exist is not found, whatever a search domain says', async () => {
    await using server = await dnsServer((query, by) =>
      query.questions[0]?.name === 'none.test' ? names(query, by) : replyTo(query, { rcode: 2 }),
    );
    const resolvConf = 'search corp.test\noptions attempts:1';
    const { resolve } = await resolverOf({ servers: [server], resolvConf });
    await assert.rejects(resolve('none.test'), { reason: 'name-not-found' });
    await assert.rejects(resolve('none'), { reason: 'resolver-failed' });
  });
});
