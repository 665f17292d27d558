import assert from 'node:assert/strict';
import { test } from 'node:test';
import { http } from '../../src/checks/http/http.ts';
import type { Outcome, Reason } from '../../src/core/outcome.ts';
import { testCertificates } from '../../src/testing/certificates.ts';
import { testContext } from '../../src/testing/context.ts';
import { missing } from './daemon.ts';
import { startNginx, type NginxServer } from './nginx.ts';

const skip = missing('nginx', 'openssl');

async function run(given: Readonly<Record<string, unknown>>): Promise<Outcome> {
  const { ca } = await testCertificates();
  return await http.run(http.options.parse({ tls: { ca: ca.certificate }, ...given }), testContext());
}

test('nginx, plain and secure, is up with its status', { skip }, async () => {
  await using nginx = await startNginx();
  const plain = await run({ url: nginx.url('plain') });
  assert.equal(plain.message, '200 OK');
  const secure = await run({ url: nginx.url('good') });
  assert.equal(secure.message, '200 OK');
  assert.deepEqual((secure.detail['tls'] as Record<string, unknown>)['protocol'], 'TLSv1.3');
  assert.ok((secure.metrics['certificateDaysLeft'] ?? 0) > 29);
});

test('each way in which a certificate of nginx is wrong has its reason', { skip }, async (t) => {
  await using nginx = await startNginx();
  const cases: readonly (readonly [NginxServer, Reason, RegExp])[] = [
    ['expired', 'tls-expired', /expired on \d{4}-\d\d-\d\d/],
    ['wrongName', 'tls-wrong-name', /it is for other\.test, not for localhost/],
    ['selfSigned', 'tls-untrusted', /self-signed/],
    ['incompleteChain', 'tls-untrusted', /signed by "CN=Watchkeeper test intermediate".*left out an intermediate/],
  ];
  for (const [server, reason, message] of cases)
    await t.test(server, async () => {
      const outcome = await run({ url: nginx.url(server) });
      assert.equal(outcome.reason, reason, outcome.message);
      assert.equal(outcome.status, 'down');
      assert.match(outcome.message, message);
    });
});

test('nginx that wants a client certificate takes ours, and without one says so in its answer', { skip }, async () => {
  await using nginx = await startNginx();
  const { ca, client } = await testCertificates();
  const url = nginx.url('clientCertificate');
  const tls = { ca: ca.certificate, certificate: client.certificate, key: client.key };
  assert.equal((await run({ url, tls })).status, 'up');
  const without = await run({ url });
  assert.equal(without.message, 'Expected status 200-299, got 400 Bad Request.');
  assert.match(JSON.stringify(without.detail['body']), /No required SSL certificate was sent/);
});

test('nginx speaks HTTP/2 where both sides want it', { skip }, async () => {
  await using nginx = await startNginx();
  const two = await run({ url: nginx.url('http2', '/json'), httpVersion: '2', jsonPath: ['$.queue < 100'] });
  assert.equal(two.message, '200 OK');
  assert.equal(two.detail['httpVersion'], '2');
  assert.equal((await run({ url: nginx.url('http2'), httpVersion: 'auto' })).detail['httpVersion'], '2');
  assert.equal((await run({ url: nginx.url('http2') })).detail['httpVersion'], '1.1');
  const refused = await run({ url: nginx.url('good'), httpVersion: '2' });
  assert.equal(refused.reason, 'tls-handshake', refused.message);
  assert.match(refused.message, /none of the protocols we asked for/);
});

test('a body that nginx compressed is read as what it was', { skip }, async () => {
  await using nginx = await startNginx();
  const headers = { 'Accept-Encoding': 'gzip' };
  for (const [server, version] of [
    ['plain', '1.1'],
    ['http2', '2'],
  ] as const) {
    const outcome = await run({
      url: nginx.url(server, '/json'),
      httpVersion: version,
      headers,
      contains: ['"status":"ok"'],
      responseHeaders: { 'content-encoding': 'gzip' },
    });
    assert.equal(outcome.status, 'up', outcome.message);
  }
});

test(
  'the secure port of nginx asked in plain text, and the plain one asked for TLS, say what is wrong',
  { skip },
  async () => {
    await using nginx = await startNginx();
    const plain = await run({ url: nginx.url('good').replace('https', 'http') });
    assert.match(JSON.stringify(plain.detail['body']), /plain HTTP request was sent to HTTPS port/);
    const secure = await run({ url: nginx.url('plain').replace('http', 'https') });
    assert.equal(secure.reason, 'tls-handshake');
    assert.match(secure.message, /not TLS; does the port speak plain text/);
  },
);

test('nginx that redirects is followed, and its error statuses are failures', { skip }, async () => {
  await using nginx = await startNginx();
  const moved = await run({ url: nginx.url('plain', '/moved') });
  assert.equal(moved.status, 'up', moved.message);
  assert.deepEqual(moved.detail['redirects'], [nginx.url('plain', '/')]);
  const forbidden = await run({ url: nginx.url('plain', '/forbidden') });
  assert.equal(forbidden.reason, 'assertion');
  assert.equal(forbidden.message, 'Expected status 200-299, got 403 Forbidden.');
});
