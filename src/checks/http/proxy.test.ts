import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { Outcome, Reason } from '../../core/outcome.ts';
import { testCertificates } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { httpServer } from '../../testing/http-server.ts';
import { closedPort, tcpServer, type TestServer } from '../../testing/tcp-server.ts';
import { http } from './http.ts';

function run(given: unknown): Promise<Outcome> {
  return http.run(http.options.parse(given), testContext());
}

interface TestProxy extends TestServer {
  /** The first header block of each connection. */
  readonly asked: readonly string[];
}

/** A proxy that opens tunnels, and answers everything else itself. */
async function proxyServer(answer: string): Promise<TestProxy> {
  const asked: string[] = [];
  const server = await tcpServer((socket) => {
    socket.once('data', (request) => {
      asked.push(request.toString());
      const [, port] = /^CONNECT [^:]+:(\d+) /.exec(request.toString()) ?? [];
      if (port === undefined || !answer.includes(' 200 ')) socket.end(answer);
      else void tunnel(socket, Number(port), answer);
    });
  });
  return Object.assign(server, { asked });
}

async function tunnel(socket: Socket, port: number, answer: string): Promise<void> {
  const target = connect(port, '127.0.0.1');
  target.on('error', () => {}).once('close', () => socket.destroy());
  socket.once('close', () => target.destroy());
  await once(target, 'connect');
  socket.write(answer);
  socket.pipe(target).pipe(socket);
}

test('an http target is asked for in absolute form, with the proxy’s credentials', async () => {
  await using proxy = await proxyServer('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
  const outcome = await run({
    url: 'http://behind.test/page?x=1',
    proxy: `http://ann:p%40ss@127.0.0.1:${proxy.port}`,
    contains: ['hello'],
  });
  assert.equal(outcome.status, 'up', outcome.message);
  assert.match(proxy.asked[0]!, /^GET http:\/\/behind\.test\/page\?x=1 HTTP\/1\.1\r\nHost: behind\.test\r\n/);
  assert.match(
    proxy.asked[0]!,
    new RegExp(`Proxy-Authorization: Basic ${Buffer.from('ann:p@ss').toString('base64')}\r\n`),
  );
});

test('an https target is reached through a tunnel, and never sees the proxy’s credentials', async () => {
  const { ca, good } = await testCertificates();
  await using target = await httpServer((_, response) => response.end('hello'), {
    cert: good.certificate,
    key: good.key,
  });
  await using proxy = await proxyServer('HTTP/1.1 200 Connection established\r\n\r\n');
  const outcome = await run({
    url: target.origin,
    proxy: `http://ann:secret@127.0.0.1:${proxy.port}`,
    tls: { ca: ca.certificate },
  });
  assert.equal(outcome.status, 'up', outcome.message);
  assert.match(proxy.asked[0]!, new RegExp(`^CONNECT localhost:${target.port} HTTP/1.1\r\n`));
  assert.equal(target.requests[0]?.headers['proxy-authorization'], undefined);
});

test('a proxy that refuses is said to, and the path is to blame', async () => {
  await using proxy = await proxyServer('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
  const outcome = await run({ url: 'https://behind.test/', proxy: `http://127.0.0.1:${proxy.port}` });
  assert.equal(outcome.reason, 'protocol');
  assert.equal(outcome.source, 'path');
  assert.match(
    outcome.message,
    /^Expected the proxy 127\.0\.0\.1:\d+ to connect to behind\.test:443, got 407 Proxy Authentication Required\.$/,
  );
});

test('the egress policy holds for the proxy and for an address behind it', async () => {
  await using proxy = await proxyServer('HTTP/1.1 200 OK\r\n\r\n');
  const behind = await run({ url: 'http://169.254.169.254/', proxy: `http://127.0.0.1:${proxy.port}` });
  assert.equal(behind.reason, 'denied');
  const through = await run({ url: 'http://behind.test/', proxy: 'http://169.254.169.254:3128' });
  assert.equal(through.reason, 'denied');
  assert.deepEqual(proxy.asked, []);
});

describe('CB11: what a proxy says or does not say is the path’s fault, for http and https alike', () => {
  const table: readonly (readonly [string, (socket: Socket, endOfRun: () => void) => void, Reason])[] = [
    [
      'asks for a password',
      (socket) => void socket.end('HTTP/1.1 407 Password\r\nContent-Length: 0\r\n\r\n'),
      'protocol',
    ],
    [
      'is a bad gateway',
      (socket) => void socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'),
      'protocol',
    ],
    ['waited in vain', (socket) => void socket.end('HTTP/1.1 504 Timeout\r\nContent-Length: 0\r\n\r\n'), 'protocol'],
    [
      'refuses in its own name',
      (socket) => void socket.end('HTTP/1.1 503 No\r\nX-Squid-Error: x\r\nContent-Length: 0\r\n\r\n'),
      'protocol',
    ],
    ['closes', (socket) => void socket.end(), 'closed'],
    ['resets', (socket) => void socket.resetAndDestroy(), 'reset'],
    ['says nothing', (_, endOfRun) => endOfRun(), 'timeout'],
    ['speaks something else', (socket) => void socket.end('SSH-2.0-x\r\n'), 'protocol'],
    [
      'sends headers without end',
      (socket) => void socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`),
      'too-large',
    ],
  ];
  for (const [what, act, reason] of table)
    for (const url of ['http://behind.test/', 'https://behind.test/'])
      test(`${url.split(':')[0]}: the proxy ${what}`, async () => {
        const run = new AbortController();
        const endOfRun = (): void => run.abort(new DOMException('Not done in time.', 'TimeoutError'));
        await using proxy = await tcpServer((socket) => socket.once('data', () => act(socket, endOfRun)));
        const given = http.options.parse({ url, proxy: `http://127.0.0.1:${proxy.port}` });
        const outcome = await http.run(given, testContext({ signal: run.signal }));
        assert.deepEqual([outcome.status, outcome.reason, outcome.source], ['down', reason, 'path'], outcome.message);
      });

  test('a proxy that refuses connections', async () => {
    const refused = await run({ url: 'http://behind.test/', proxy: `http://127.0.0.1:${await closedPort()}` });
    assert.deepEqual([refused.reason, refused.source], ['refused', 'path'], refused.message);
    assert.match(refused.message, /^Through the proxy 127\.0\.0\.1:\d+: /);
  });

  test('the target’s own words are the target’s', async () => {
    await using proxy = await proxyServer('HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n');
    const outcome = await run({ url: 'http://behind.test/', proxy: `http://127.0.0.1:${proxy.port}` });
    assert.deepEqual([outcome.reason, outcome.source], ['assertion', 'target'], outcome.message);
  });
});
