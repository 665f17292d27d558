import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { echo } from '../checks/echo/echo.ts';
import { http } from '../checks/http/http.ts';
import { tcp } from '../checks/tcp/tcp.ts';
import { udp } from '../checks/udp/udp.ts';
import type { CheckType } from '../core/check.ts';
import { systemClock as clock } from '../core/clock.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Tried } from '../core/tried.ts';
import { testContext } from '../testing/context.ts';
import { closedPort, tcpServer } from '../testing/tcp-server.ts';
import { closedUdpPort, udpServer } from '../testing/udp-server.ts';
import { createNetwork } from './network.ts';
import { Resolver } from './resolve.ts';

/** Loopback has more than one address: the first one of two.test is 127.0.0.1. */
const hosts = '127.0.0.1 two.test\n127.0.0.2 two.test\n127.0.0.2 one.test\n';

let folder: string;
let resolver: Resolver;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watchkeeper-addresses-'));
  await writeFile(join(folder, 'hosts'), hosts);
  resolver = new Resolver({ clock, hostsPath: join(folder, 'hosts'), nsswitchPath: '', servers: [] });
});
after(() => rm(folder, { recursive: true }));

async function run(type: CheckType, options: object, timeoutMs = 5000): Promise<Outcome> {
  const net = createNetwork({ clock, resolver });
  return await type.run(type.options.parse(options), testContext({ net, signal: AbortSignal.timeout(timeoutMs) }));
}

/** What became of each address. */
function triedOf({ detail }: Outcome): readonly (readonly [string, string | null])[] {
  return ((detail['tried'] ?? []) as readonly Tried[]).map(({ address, reason }) => [address, reason]);
}

/** A web server that says this to every request. */
const answer = (status: string) => (socket: Socket) =>
  void socket.once('data', () => socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`));

const first = { host: '127.0.0.1' };
const second = { host: '127.0.0.2' };
const refusedThenUp = [
  ['127.0.0.1', 'refused'],
  ['127.0.0.2', null],
];

describe('CH1: a name whose first address is dead', () => {
  test('is up by TCP, and the message says which address answers', async () => {
    await using server = await tcpServer(() => {}, second);
    const outcome = await run(tcp, { host: 'two.test', port: server.port });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.match(outcome.message, / · 127\.0\.0\.1 refused; 127\.0\.0\.2 answers \(1 of 2\)$/);
    assert.deepEqual(triedOf(outcome), refusedThenUp);
    assert.equal(outcome.detail['address'], '127.0.0.2');
  });

  test('is up by HTTP', async () => {
    await using server = await tcpServer(answer('200 OK'), second);
    const outcome = await run(http, { url: `http://two.test:${server.port}/` });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.deepEqual(triedOf(outcome), refusedThenUp);
  });

  test('is up by echo', async () => {
    await using server = await tcpServer((socket) => socket.pipe(socket), second);
    const outcome = await run(echo, { host: 'two.test', port: server.port });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.deepEqual(triedOf(outcome), refusedThenUp);
  });

  test('is up by UDP, where it refuses and where it is silent', async () => {
    await using server = await udpServer((datagram, reply) => reply(datagram), second);
    const refused = await run(udp, { host: 'two.test', port: server.port, payload: 'x' });
    assert.equal(refused.status, 'up', refused.message);
    assert.deepEqual(triedOf(refused), refusedThenUp);
    await using mute = await udpServer(() => {}, { ...first, port: server.port });
    const silent = await run(udp, { host: 'two.test', port: mute.port, payload: 'x' });
    assert.equal(silent.detail['response'], true, silent.message);
    assert.deepEqual(triedOf(silent), [
      ['127.0.0.1', 'timeout'],
      ['127.0.0.2', null],
    ]);
  });

  test('one that answers at its first address says nothing of others', async () => {
    await using server = await tcpServer();
    const outcome = await run(tcp, { host: 'two.test', port: server.port });
    assert.equal(outcome.detail['tried'], undefined);
    assert.doesNotMatch(outcome.message, /127\.0\.0\.2/);
  });
});

describe('addresses: which of them must answer', () => {
  test('first: only the first one is tried', async () => {
    await using server = await tcpServer(() => {}, second);
    const outcome = await run(tcp, { host: 'two.test', port: server.port, addresses: 'first' });
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'refused']);
    assert.equal(outcome.detail['tried'], undefined);
  });

  test('all: one that fails makes the run degraded, by its reason, with the figures of one that answers', async () => {
    await using server = await tcpServer(() => {}, second);
    const outcome = await run(tcp, { host: 'two.test', port: server.port, addresses: 'all' });
    assert.deepEqual([outcome.status, outcome.reason], ['degraded', 'refused']);
    assert.match(
      outcome.message,
      /^127\.0\.0\.1 refused; 127\.0\.0\.2 answers \(1 of 2\): Connecting to 127\.0\.0\.1:\d+/,
    );
    assert.deepEqual(triedOf(outcome), refusedThenUp);
    assert.ok((outcome.metrics['connectMs'] ?? -1) >= 0);
  });

  test('all: each address is checked, not only connected to', async () => {
    await using good = await tcpServer(answer('200 OK'), first);
    await using _bad = await tcpServer(answer('503 Unavailable'), { ...second, port: good.port });
    const url = `http://two.test:${good.port}/`;
    const all = await run(http, { url, addresses: 'all' });
    assert.deepEqual([all.status, all.reason], ['degraded', 'assertion']);
    assert.match(all.message, /^127\.0\.0\.1 answers; 127\.0\.0\.2 assertion \(1 of 2\): .*503/);
    assert.equal((await run(http, { url })).status, 'up');
  });

  test('all: every one that answers is up, and the message counts them', async () => {
    await using one = await tcpServer(() => {}, first);
    await using _two = await tcpServer(() => {}, { ...second, port: one.port });
    const outcome = await run(tcp, { host: 'two.test', port: one.port, addresses: 'all' });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.match(outcome.message, /127\.0\.0\.1 answers; 127\.0\.0\.2 answers \(2 of 2\)$/);
  });

  test('all: none that answers is down', async () => {
    const outcome = await run(tcp, { host: 'two.test', port: await closedPort(), addresses: 'all' });
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'refused']);
    assert.equal(triedOf(outcome).length, 2);
  });
});

describe('CB21: a connect that fails leaves its evidence', () => {
  test('address and time of the lookup, for TCP and UDP', async () => {
    const port = await closedPort();
    for (const outcome of [
      await run(tcp, { host: 'one.test', port }),
      await run(http, { url: `http://one.test:${port}/` }),
      await run(echo, { host: 'one.test', port }),
      await run(udp, { host: 'one.test', port: await closedUdpPort() }),
    ]) {
      assert.deepEqual([outcome.status, outcome.reason], ['down', 'refused'], outcome.message);
      assert.equal(outcome.detail['address'], '127.0.0.2');
      assert.ok((outcome.metrics['resolveMs'] ?? -1) >= 0);
    }
  });

  test('of several addresses that fail, each is told', async () => {
    const outcome = await run(tcp, { host: 'two.test', port: await closedPort() });
    assert.match(
      outcome.message,
      /^Connecting to two\.test:\d+: 127\.0\.0\.1 refused; 127\.0\.0\.2 refused \(0 of 2\)\.$/,
    );
    assert.deepEqual(triedOf(outcome), [
      ['127.0.0.1', 'refused'],
      ['127.0.0.2', 'refused'],
    ]);
  });
});

describe('CH12: how to connect', () => {
  test('resolve: an address instead of a lookup, for one port or for all, redirects included', async () => {
    await using server = await tcpServer((socket) => {
      socket.once('data', (request) => {
        const isFirst = request.includes('GET / ');
        const location = `location: http://other.test:${server.port}/2\r\n`;
        socket.end(`HTTP/1.1 ${isFirst ? `302 Found\r\n${location}` : '200 OK\r\n'}content-length: 0\r\n\r\n`);
      });
    });
    const url = `http://nowhere.test:${server.port}/`;
    const resolve = [`nowhere.test:${server.port}:127.0.0.1`, 'other.test:127.0.0.1'];
    assert.equal((await run(http, { url, resolve })).status, 'up');
    const otherPort = await run(http, { url, resolve: ['nowhere.test:1:127.0.0.1'] });
    assert.equal(otherPort.reason, 'resolver-failed');
  });

  test('source: the address to send from, which also decides the IP version', async () => {
    const sources: (string | undefined)[] = [];
    await using server = await tcpServer((socket) => void sources.push(socket.remoteAddress));
    const options = { host: '127.0.0.1', port: server.port };
    assert.equal((await run(tcp, { ...options, source: '127.0.0.77' })).status, 'up');
    assert.equal((await run(tcp, { ...options, source: 'lo', dscp: 'ef' })).status, 'up');
    assert.deepEqual(sources, ['127.0.0.77', '127.0.0.1']);
    assert.equal((await run(tcp, { ...options, source: '::1' })).reason, 'name-not-found');
    await using peer = await udpServer((_, reply, from) => reply(Buffer.from(from.address)));
    const heard = await run(udp, { host: '127.0.0.1', port: peer.port, source: '127.0.0.78' });
    assert.equal(heard.detail['reply'], '127.0.0.78');
  });

  test('source: what is none of this machine is its own fault, and nobody else is blamed', async () => {
    for (const source of ['192.0.2.77', 'nosuchdevice0']) {
      const outcome = await run(tcp, { host: '127.0.0.1', port: 9, source });
      assert.deepEqual([outcome.status, outcome.reason, outcome.source], ['unknown', 'unreachable', 'agent']);
    }
  });

  test('options that cannot be are refused with what was expected', () => {
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ source: 'a b' }, /an address or a network interface of this machine/],
      [{ dscp: '64' }, /a code point from 0 to 63, or a name like ef/],
      [{ dscp: 'af55' }, /a code point from 0 to 63/],
      [{ resolve: ['host:443:name'] }, /expected HOST:PORT:ADDRESS or HOST:ADDRESS/],
      [{ resolve: ['host:99999:127.0.0.1'] }, /expected HOST:PORT:ADDRESS/],
      [{ resolve: ['host:2001:db8::1'] }, /IPv6 in brackets/],
      [{ addresses: 'some' }, /addresses/],
    ];
    for (const [options, expected] of cases) {
      const { error } = tcp.options.safeParse({ host: 'a', port: 1, ...options });
      assert.match(JSON.stringify(error?.issues), expected);
    }
    for (const dscp of ['0', '63', 'EF', 'af41', 'cs7', 'le'])
      assert.ok(tcp.options.safeParse({ host: 'a', port: 1, dscp }).success, dscp);
    for (const resolve of ['a:443:[2001:db8::1]', 'a:[2001:db8::1]', 'a:192.0.2.1', 'a:80:192.0.2.1'])
      assert.ok(tcp.options.safeParse({ host: 'a', port: 1, resolve: [resolve] }).success, resolve);
  });
});
