import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import type { Outcome } from '../../core/outcome.ts';
import { testCertificates } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { httpServer } from '../../testing/http-server.ts';
import { http } from './http.ts';

const { ca, good, expired, wrongName, expiringSoon, client, selfSigned } = await testCertificates();

function run(given: unknown): Promise<Outcome> {
  return http.run(http.options.parse(given), testContext());
}

/** An https server with this certificate that answers `hello`. */
const serverWith = ({ certificate, key }: typeof good, more = {}) =>
  httpServer((_, response) => response.end('hello'), { cert: certificate, key, ...more });

test('an https page is up, with its handshake, its protocol and its certificate', async () => {
  await using server = await serverWith(good);
  const outcome = await run({ url: server.origin, tls: { ca: ca.certificate } });
  assert.equal(outcome.message, '200 OK');
  assert.ok((outcome.metrics['tlsMs'] ?? 0) > 0);
  const { protocol, cipher, resumed } = outcome.detail['tls'] as Record<string, unknown>;
  assert.deepEqual({ protocol, resumed }, { protocol: 'TLSv1.3', resumed: false });
  const rows = outcome.detail['certificates'] as readonly Record<string, unknown>[];
  assert.deepEqual(
    rows.map(({ role, sent, subject, issuer }) => [role, sent, subject, issuer]),
    [
      ['server', true, 'CN=localhost', 'CN=Watchkeeper test CA'],
      ['anchor', false, 'CN=Watchkeeper test CA', 'CN=Watchkeeper test CA'],
    ],
  );
  assert.match(String(cipher), /^TLS_/);
  const daysLeft = outcome.metrics['certificateDaysLeft'] ?? 0;
  assert.ok(daysLeft > 29 && daysLeft <= 30, `${daysLeft}`);
});

test('without our CA the certificate is not trusted', async () => {
  await using server = await serverWith(good);
  assert.equal((await run({ url: server.origin })).reason, 'tls-untrusted');
});

test('an address is checked against the addresses in the certificate', async () => {
  await using server = await serverWith(good);
  const url = `https://127.0.0.1:${server.port}/`;
  assert.equal((await run({ url, tls: { ca: ca.certificate } })).status, 'up');
  await using other = await serverWith(wrongName);
  const outcome = await run({ url: `https://127.0.0.1:${other.port}/`, tls: { ca: ca.certificate } });
  assert.equal(outcome.reason, 'tls-wrong-name');
});

test('with verify off every certificate will do, and is still shown', async () => {
  for (const certificate of [expired, wrongName, selfSigned]) {
    await using server = await serverWith(certificate);
    const outcome = await run({ url: server.origin, tls: { verify: false, expiryDays: 0 } });
    assert.notEqual(outcome.status, 'down', outcome.message);
    assert.equal(outcome.metrics['statusCode'], 200);
  }
});

test('a certificate near its end is degraded, as near as the option says', async () => {
  await using server = await serverWith(expiringSoon);
  const tls = { ca: ca.certificate };
  const outcome = await run({ url: server.origin, tls });
  assert.equal(outcome.status, 'degraded');
  assert.match(
    outcome.message,
    /^Expected certificates with at least 14 days left, got 3\.\d days left on "CN=localhost" of localhost:\d+\.$/,
  );
  assert.equal((await run({ url: server.origin, tls: { ...tls, expiryDays: 1 } })).status, 'up');
});

test('the server name is asked for and expected instead of the host', async () => {
  await using server = await serverWith(wrongName);
  const url = server.origin;
  assert.equal((await run({ url, tls: { ca: ca.certificate, serverName: 'other.test' } })).status, 'up');
  assert.equal((await run({ url, tls: { ca: ca.certificate } })).reason, 'tls-wrong-name');
});

test('a client certificate is shown to the server that asks for it, and refused if it is another CA’s', async () => {
  await using server = await serverWith(good, { ca: ca.certificate, requestCert: true, rejectUnauthorized: true });
  const run1 = (own?: typeof client) =>
    run({
      url: server.origin,
      tls: { ca: ca.certificate, ...(own && { certificate: own.certificate, key: own.key }) },
    });
  assert.equal((await run1(client)).status, 'up');
  const none = await run1();
  assert.equal(none.reason, 'tls-client-certificate');
  assert.match(none.message, /asks for a client certificate/);
  const stranger = await run1(selfSigned);
  assert.notEqual(stranger.status, 'up', stranger.message);
});

test('another origin is not shown the client certificate', async () => {
  let shown: boolean | undefined;
  const ask = { ca: ca.certificate, requestCert: true, rejectUnauthorized: false };
  await using other = await httpServer(
    ({ socket }, response) => {
      // An https server's sockets are TLS sockets.
      shown = (socket as TLSSocket).getPeerX509Certificate() !== undefined;
      response.end();
    },
    { cert: good.certificate, key: good.key, ...ask },
  );
  await using server = await httpServer((_, response) => response.writeHead(302, { location: other.origin }).end(), {
    cert: good.certificate,
    key: good.key,
  });
  const tls = { ca: ca.certificate, certificate: client.certificate, key: client.key };
  await run({ url: other.origin, tls });
  assert.equal(shown, true);
  await run({ url: server.origin, tls });
  assert.equal(shown, false);
});

test('every run does a full handshake, unless sessions may be resumed', async () => {
  await using server = await serverWith(good);
  const resumedOf = async (resume: boolean): Promise<unknown> => {
    const outcome = await run({ url: server.origin, tls: { ca: ca.certificate, resume } });
    assert.equal(outcome.status, 'up', outcome.message);
    return (outcome.detail['tls'] as Record<string, unknown>)['resumed'];
  };
  assert.deepEqual([await resumedOf(false), await resumedOf(false)], [false, false]);
  assert.deepEqual([await resumedOf(true), await resumedOf(true)], [false, true]);
});

function mistake(tls: object): string {
  const { error } = http.options.safeParse({ url: 'https://localhost/', tls });
  return error?.issues[0]?.message ?? 'none';
}

test('a key that belongs to another certificate, or is none, is a mistake in the options, in plain words', () => {
  const pair = { certificate: client.certificate, key: client.key };
  assert.equal(mistake(pair), 'none');
  assert.equal(mistake({ ...pair, key: good.key }), 'expected the key that belongs to the certificate, got another');
  assert.equal(mistake({ certificate: client.certificate }), 'expected certificate and key together');
  assert.equal(
    mistake({ ...pair, key: client.certificate }),
    'expected an unencrypted private key as PEM text: it cannot be read',
  );
  assert.equal(
    mistake({ ca: `${ca.certificate}${ca.certificate.replaceAll(/^[^-]{64}$/gm, 'A'.repeat(64))}` }),
    'expected certificates as PEM text: number 2 in it cannot be read',
  );
  assert.match(
    mistake({ ca: 'ca.pem' }),
    /^expected certificates as PEM text: it has no "-----BEGIN CERTIFICATE-----"/,
  );
  assert.equal(mistake({ verify: false, ocsp: 'require' }), 'expected verify: true with ocsp: require');
});

test('a file of authorities may be as large as those of systems, and no larger than 512 KiB', () => {
  const largest = `${ca.certificate}${'# comment\n'.repeat(60_000)}`.slice(0, 524_288);
  assert.equal(mistake({ ca: largest }), 'none');
  assert.match(mistake({ ca: `${largest}#` }), /524288/);
});

test('a server that ignores what HTTP/2 asks for in the handshake is said to', async () => {
  const server = createServer({ cert: good.certificate, key: good.key }, (socket) =>
    socket.on('error', () => {}).resume(),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // A listening server has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const outcome = await run({ url: `https://localhost:${port}/`, tls: { ca: ca.certificate }, httpVersion: '2' });
  server.close();
  assert.equal(outcome.reason, 'protocol');
  assert.equal(outcome.message, `Expected localhost:${port} to speak HTTP/2, it chose nothing.`);
});
