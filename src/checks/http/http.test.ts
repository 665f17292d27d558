import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Outcome } from '../../core/outcome.ts';
import { testContext } from '../../testing/context.ts';
import { httpServer } from '../../testing/http-server.ts';
import { stand } from '../../testing/stand.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { checkContract } from '../check.contract.ts';
import { http } from './http.ts';

function run(given: unknown): Promise<Outcome> {
  return http.run(http.options.parse(given), testContext());
}

checkContract(http, {
  async answering() {
    const server = await httpServer((_, response) => response.end('hello'));
    return stand({ url: `${server.origin}/` }, () => server[Symbol.asyncDispose]());
  },
  async silent() {
    const server = await tcpServer((socket) => socket.resume());
    return stand({ url: `http://${server.host}:${server.port}/` }, () => server[Symbol.asyncDispose]());
  },
});

test('a page that answers 200 is up, with the time of each phase', async () => {
  await using server = await httpServer((_, response) => response.end('hello'));
  const outcome = await run({ url: server.origin });
  assert.equal(outcome.status, 'up');
  assert.equal(outcome.message, '200 OK');
  assert.equal(outcome.metrics['statusCode'], 200);
  assert.equal(outcome.metrics['bodyBytes'], 5);
  for (const phase of ['resolveMs', 'connectMs', 'firstByteMs', 'transferMs'])
    assert.ok((outcome.metrics[phase] ?? -1) >= 0, phase);
});

test('a target is a URL, or a host with the word used as its scheme', () => {
  assert.deepEqual(http.fromTarget('www.google.com', 'http'), { url: 'http://www.google.com' });
  assert.deepEqual(http.fromTarget('www.google.com', 'https'), { url: 'https://www.google.com' });
  assert.deepEqual(http.fromTarget('https://www.google.com/x', 'http'), { url: 'https://www.google.com/x' });
});

test('a port where nothing listens is down, refused', async () => {
  const outcome = await run({ url: `http://127.0.0.1:${await closedPort()}/` });
  assert.equal(outcome.status, 'down');
  assert.equal(outcome.reason, 'refused');
});

test('method, headers, body and credentials reach the server', async () => {
  let body = '';
  await using server = await httpServer((request, response) => {
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.once('end', () => response.end());
  });
  await run({
    url: `${server.origin}/path?query=1`,
    method: 'POST',
    headers: { 'X-Key': 'abc', Host: 'other.test' },
    body: 'grüße',
    auth: { user: 'ann', password: 'pa:ss' },
  });
  const { method, url, headers } = server.requests[0]!;
  assert.equal(`${method} ${url}`, 'POST /path?query=1');
  assert.equal(headers['x-key'], 'abc');
  assert.equal(headers.host, 'other.test');
  assert.equal(headers.authorization, `Basic ${Buffer.from('ann:pa:ss').toString('base64')}`);
  assert.equal(body, 'grüße');
  await run({ url: server.origin, auth: { token: 't0ken' } });
  assert.equal(server.requests[1]?.headers.authorization, 'Bearer t0ken');
});

/** `/302/next` redirects there; anything else is a page. */
const redirecting: RequestListener = (request, response) => {
  const [, status, location] = /^\/(30\d)\/(.*)$/.exec(request.url ?? '') ?? [];
  if (status) response.writeHead(Number(status), { location: decodeURIComponent(location ?? '') });
  response.end('the end');
};

test('redirects are followed up to the limit, and each is shown', async () => {
  await using server = await httpServer(redirecting);
  const followed = await run({ url: `${server.origin}/302/%2F301%2F%252Fpage`, contains: ['the end'] });
  assert.equal(followed.status, 'up', followed.message);
  assert.equal(followed.metrics['redirects'], 2);
  assert.deepEqual(followed.detail['redirects'], [`${server.origin}/301/%2Fpage`, `${server.origin}/page`]);
  assert.equal(followed.detail['finalUrl'], `${server.origin}/page`);
  const limited = await run({ url: `${server.origin}/302/%2F301%2F%252Fpage`, maxRedirects: 1 });
  assert.equal(limited.reason, 'too-many-redirects');
  const answer = await run({ url: `${server.origin}/302/%2Fpage`, maxRedirects: 0, status: ['300-399'] });
  assert.equal(answer.message, '302 Found');
});

test('a redirect keeps or drops the body as its status says', async () => {
  await using server = await httpServer(redirecting);
  for (const status of [301, 302, 303, 307, 308])
    await run({ url: `${server.origin}/${status}/%2Fpage`, method: 'POST', body: 'x' });
  const second = server.requests.filter(({ url }) => url === '/page').map(({ method }) => method);
  assert.deepEqual(second, ['GET', 'GET', 'GET', 'POST', 'POST']);
});

test('another origin gets no credentials and none of the configured headers; the same origin gets all', async () => {
  await using other = await httpServer((_, response) => response.end());
  await using server = await httpServer(redirecting);
  const secrets = { auth: { token: 't0ken' }, headers: { cookie: 'a=b', 'x-key': 'abc', accept: 'text/html' } };
  await run({
    url: `${server.origin}/302/${encodeURIComponent(`http://user:pass@127.0.0.1:${other.port}/`)}`,
    ...secrets,
  });
  const { authorization, cookie, accept, 'x-key': key } = other.requests[0]!.headers;
  assert.deepEqual(
    { authorization, cookie, key, accept },
    { authorization: undefined, cookie: undefined, key: undefined, accept: 'text/html' },
  );
  await run({ url: `${server.origin}/302/%2Fpage`, ...secrets });
  assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer t0ken');
});

test('an answer that is not what was asked for is down, with what was expected and what came', async (t) => {
  await using server = await httpServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"status":"degraded","queue":120,"jobs":[{"ok":true},{"ok":false}]}');
  });
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ status: ['404', 500] }, /^Expected status 404, 500, got 200 OK\.$/],
    [{ contains: ['"healthy"'] }, /^Expected "\\"healthy\\"" in the body, got "\{/],
    [{ notContains: ['degraded'] }, /^Expected no "degraded" in the body, got/],
    [{ matches: ['^ok$'] }, /^Expected a body that matches \^ok\$, got/],
    [{ jsonPath: ['$.status == "ok"'] }, /^Expected \$\.status == "ok", got "degraded"\.$/],
    [{ jsonPath: ['$.queue < 100'] }, /^Expected \$\.queue < 100, got 120\.$/],
    [{ jsonPath: ['length($.jobs) > 2'] }, /got 2\.$/],
    [{ jsonPath: ['$.jobs[?@.ok == false] && $.nothing'] }, /^Expected/],
    [{ jsonPath: ['match($.status, "o.*")'] }, /^Expected match/],
    [
      { responseHeaders: { 'content-type': 'text/html' } },
      /^Expected "text\/html" in the header content-type, got "application\/json"\.$/,
    ],
    [{ responseHeaders: { 'x-served-by': 'a' } }, /got none\.$/],
  ];
  for (const [expectation, message] of cases)
    await t.test(JSON.stringify(expectation), async () => {
      const outcome = await run({ url: server.origin, ...expectation });
      assert.equal(outcome.reason, 'assertion');
      assert.match(outcome.message, message);
    });
});

test('an answer that is all of what was asked for is up', async () => {
  await using server = await httpServer((_, response) =>
    response.end('{"status":"ok","queue":7,"jobs":[{"ok":true}]}'),
  );
  const outcome = await run({
    url: server.origin,
    status: [200],
    contains: ['"ok"', 'queue'],
    notContains: ['error'],
    matches: ['"queue":\\d+'],
    jsonPath: ['$.status == "ok" && $.queue < 100', 'count($.jobs[?@.ok == true]) == 1', 'search($.status, "o")'],
    responseHeaders: { date: 'GMT' },
  });
  assert.equal(outcome.status, 'up', outcome.message);
});

test('an answer that is no JSON is down; what a body over the limit may hold is unknown', async () => {
  await using server = await httpServer((_, response) => response.end('hello, world'));
  assert.match(
    (await run({ url: server.origin, jsonPath: ['$.a == 1'] })).message,
    /^Expected JSON, got "hello, world"/,
  );
  assert.equal((await run({ url: server.origin, maxBodyBytes: 5, contains: ['hello'] })).status, 'up');
  const limited = await run({ url: server.origin, maxBodyBytes: 5, contains: ['world'] });
  assert.equal(limited.status, 'unknown');
  assert.equal(limited.reason, 'too-large');
  assert.match(limited.message, /only its first 5 characters were searched \(maxBodyBytes is 5\)/);
});

test('every content coding is undone, also one in another', async (t) => {
  const codings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync } as const;
  await using server = await httpServer((request, response) => {
    const name = (request.url ?? '').slice(1) as keyof typeof codings | 'raw' | 'both';
    if (name === 'raw') response.setHeader('content-encoding', 'deflate').end(deflateRawSync('hello'));
    else if (name === 'both')
      response.setHeader('content-encoding', 'gzip, br').end(brotliCompressSync(gzipSync('hello')));
    else response.setHeader('content-encoding', name).end(codings[name]('hello'));
  });
  for (const name of [...Object.keys(codings), 'raw', 'both'])
    await t.test(name, async () => {
      const outcome = await run({ url: `${server.origin}/${name}`, matches: ['^hello$'] });
      assert.equal(outcome.status, 'up', outcome.message);
    });
});

test('an answer that takes longer than it may is degraded', async () => {
  await using server = await httpServer((_, response) => setTimeout(() => response.end(), 30));
  const outcome = await run({ url: server.origin, degraded: { latency: '5ms' } });
  assert.equal(outcome.status, 'degraded');
  assert.equal(outcome.reason, 'threshold');
  assert.match(outcome.message, /^The answer took \d+\.\d+ ms \(degraded from 5ms\)\.$/);
  assert.equal((await run({ url: server.origin, degraded: { latency: '1m' } })).status, 'up');
});

test('the IP version is the one asked for', async () => {
  await using server = await httpServer((_, response) => response.end());
  const url = `http://localhost:${server.port}/`;
  assert.equal((await run({ url, family: '4' })).detail['address'], '127.0.0.1');
  const six = await run({ url, family: '6' });
  assert.equal(six.detail['address'], '::1');
  assert.ok((six.metrics['resolveMs'] ?? -1) >= 0);
  assert.match(six.message, /\[::1\]/);
});

test('a bad option is explained', async (t) => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ url: 'ftp://host/' }, /expected a URL like http:\/\/example\.com/],
    [{ url: 'http://user:password@host/' }, /^expected user and password as auth, not in the URL, got one with/],
    [{ url: 'http://:password@host/' }, /^expected user and password as auth, not in the URL, got one with/],
    [{ headers: { 'Keep-Alive': '5' } }, /set by Watchkeeper itself/],
    [{ headers: { host: 'a b' } }, /expected a host/],
    [{ headers: { 'x-a': 'b\r\nx-c: d' } }, /without line breaks/],
    [{ headers: { 'Content-Length': '5' } }, /set by Watchkeeper itself/],
    [{ status: ['2xx'] }, /expected a status like 200 or 200-299, got "2xx"/],
    [{ matches: ['('] }, /expected a regular expression/],
    [{ jsonPath: ['status is ok'] }, /expected a comparison like \$\.status == "ok"/],
    [{ jsonPath: ['$..a[?count($..b) > 1]'] }, /too costly/],
    [{ auth: { user: 'a', token: 'b' } }, /not both/],
    [{ tls: { certificate: 'nonsense' } }, /expected certificates as PEM text/],
    [{ httpVersion: '2' }, /expected an https URL for HTTP\/2/],
  ];
  for (const [bad, message] of cases)
    await t.test(JSON.stringify(bad), () => {
      const { error } = http.options.safeParse({ url: 'http://127.0.0.1/', ...bad });
      assert.match(error?.issues[0]?.message ?? 'accepted', message);
    });
});

test('HTTP/2 may be asked for by a URL with its scheme in capitals', () =>
  assert.ok(http.options.safeParse({ url: 'HTTPS://localhost/', httpVersion: '2' }).success));
