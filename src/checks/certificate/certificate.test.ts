import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { createSecureContext, TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import type { Outcome } from '../../core/outcome.ts';
import { testCertificates, type TestCertificate } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { stand } from '../../testing/stand.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { presenting, tlsServer } from '../../testing/tls-server.ts';
import { checkContract } from '../check.contract.ts';
import { certificate } from './certificate.ts';

const all = await testCertificates();
const { ca, good, expired, expiringSoon, incompleteChain, intermediate, selfSigned } = all;
const trusted = { ca: ca.certificate };

checkContract(certificate, {
  answering: async () => {
    const server = await tlsServer(presenting(good));
    const options = { host: 'localhost', port: server.port, tls: trusted };
    return stand(options, () => server[Symbol.asyncDispose]());
  },
  silent: async () => {
    const server = await tcpServer((socket) => socket.resume());
    return stand({ host: 'localhost', port: server.port }, () => server[Symbol.asyncDispose]());
  },
});

function check(options: object): Promise<Outcome> {
  return certificate.run(certificate.options.parse({ host: 'localhost', tls: trusted, ...options }), testContext());
}

async function fingerprintOf({ certificatePath }: TestCertificate): Promise<string> {
  const args = ['x509', '-in', certificatePath, '-noout', '-fingerprint', '-sha256'];
  const { stdout } = await promisify(execFile)('openssl', args);
  return stdout.trim().replace(/^.*=/, '');
}

test('a good certificate is up, with its chain, its days and its certificates counted', async () => {
  await using server = await tlsServer(presenting(incompleteChain, intermediate));
  const outcome = await check({ port: server.port });
  assert.equal(outcome.status, 'up', outcome.message);
  assert.match(outcome.message, /^"CN=(?:localhost|Watchkeeper test intermediate)" has 30\.0 days left, until \d{4}-/);
  assert.equal(outcome.metrics['certificates'], 2);
  assert.equal((outcome.detail['certificates'] as unknown[]).length, 3);
});

test('a closed port is down and says refused; a port is 443 if it is left out', async () => {
  assert.equal((await check({ port: await closedPort() })).reason, 'refused');
  assert.equal(certificate.options.parse(certificate.fromTarget('example.org', 'certificate')).port, 443);
});

test('days left have a threshold for degraded and one for down', async () => {
  await using server = await tlsServer(presenting(expiringSoon));
  const statusOf = async (limits: object): Promise<string> => (await check({ port: server.port, ...limits })).status;
  const { status, reason, message } = await check({ port: server.port });
  assert.deepEqual([status, reason], ['degraded', 'threshold']);
  assert.match(message, /^"CN=localhost" has 3\.5 days left, until \d{4}-\d\d-\d\d \(degraded from 14 days\)\.$/);
  assert.equal(await statusOf({ degraded: { days: 3 } }), 'up');
  assert.equal(await statusOf({ degraded: { days: 0 } }), 'up');
  assert.equal(await statusOf({ down: { days: 4 } }), 'down');
  assert.equal(await statusOf({ down: { days: 3 } }), 'degraded');
});

test('a certificate that need not be verified has its days, or is over, and its faults are told', async () => {
  await using server = await tlsServer(presenting(expired));
  assert.equal((await check({ port: server.port })).reason, 'tls-expired');
  const unverified = await check({ port: server.port, tls: { verify: false } });
  assert.equal(unverified.status, 'degraded');
  assert.match(unverified.message, /^"CN=localhost" expired on \d{4}-\d\d-\d\d \(degraded from 14 days\)\.$/);
  const { faults } = unverified.detail['tls'] as { readonly faults: readonly string[] };
  assert.equal(faults.length, 2);
  const tolerated = await check({ port: server.port, tls: { verify: false }, degraded: { days: 0 } });
  assert.equal(tolerated.status, 'up', tolerated.message);
});

test('a pinned fingerprint, as openssl prints it, must be the one of the server, whoever signed it', async () => {
  await using server = await tlsServer(presenting(selfSigned));
  const [right, wrong] = [await fingerprintOf(selfSigned), await fingerprintOf(good)];
  const tls = { verify: false };
  assert.equal((await check({ port: server.port, tls, fingerprints: [right] })).status, 'up');
  assert.equal((await check({ port: server.port, tls, fingerprints: [wrong, right.toLowerCase()] })).status, 'up');
  const { reason, message } = await check({ port: server.port, tls, fingerprints: [wrong] });
  assert.equal(reason, 'assertion');
  const expected = `Expected a certificate with ${wrong}, got ${right} ("CN=localhost").`;
  assert.equal(
    message,
    expected.replaceAll(/(?<=[\dA-F]{2}):/g, '').replaceAll(/[\dA-F]{64}/g, (text) => text.toLowerCase()),
  );
  assert.ok(!certificate.options.safeParse({ host: 'localhost', fingerprints: ['ab:cd'] }).success);
});

test('an expected issuer may stand anywhere on the way to the trusted certificate, and nowhere else', async () => {
  await using server = await tlsServer(presenting(incompleteChain, intermediate, all.expiredIntermediate));
  for (const issuer of ['test intermediate', 'CN=Watchkeeper test CA'])
    assert.equal((await check({ port: server.port, issuer })).status, 'up');
  const { reason, message } = await check({ port: server.port, issuer: 'Expired' });
  assert.equal(reason, 'assertion');
  assert.match(
    message,
    /^Expected an issuer with "Expired" in its name, got "CN=Watchkeeper test intermediate", "CN=Wa/,
  );
});

test('further names must be covered too, by a wildcard as well', async () => {
  await using server = await tlsServer(presenting(good));
  assert.equal((await check({ port: server.port, names: ['example.test', '127.0.0.1'] })).status, 'up');
  const { reason, message } = await check({ port: server.port, names: ['example.test', 'www.example.test'] });
  assert.equal(reason, 'tls-wrong-name');
  assert.equal(
    message,
    'Expected a certificate also for www.example.test, got one for localhost, example.test, 127.0.0.1, ::1.',
  );
  await using wide = await tlsServer(presenting(all.wildcard));
  const tls = { ...trusted, serverName: 'a.example.test' };
  assert.equal((await check({ port: wide.port, tls, names: ['b.example.test'] })).status, 'up');
});

/** Greets as a mail server does, and goes on in TLS when asked to. */
function mailServer(socket: Socket): void {
  socket.write('220 mail.example ESMTP\r\n');
  socket.on('data', (bytes) => {
    if (bytes.includes('EHLO')) {
      socket.write('250-mail.example\r\n250 STARTTLS\r\n');
      return;
    }
    socket.removeAllListeners('data').write('220 go on\r\n');
    const context = createSecureContext({ cert: good.certificate, key: good.key });
    new TLSSocket(socket, { isServer: true, secureContext: context }).on('error', () => {}).resume();
  });
}

test('STARTTLS is asked for in the protocol of the server', async () => {
  await using server = await tcpServer(mailServer);
  const outcome = await check({ port: server.port, starttls: 'smtp' });
  assert.equal(outcome.status, 'up', outcome.message);
  assert.ok((outcome.metrics['startTlsMs'] ?? 0) > 0);
  assert.equal(outcome.detail['banner'], '220 mail.example ESMTP');
});

test('a certificate that should come with an OCSP response is noted, and down where the check is strict', async () => {
  const { certificateFolder, issueCertificate, makeRoot } = await import('../../testing/certificates.ts');
  const folder = await certificateFolder();
  const root = await makeRoot(folder, 'ca', 'Lab root');
  const extensions = ['tlsfeature=status_request'];
  const own = await issueCertificate(folder, 'own', { subject: 'localhost', names: 'DNS:localhost', extensions });
  await using server = await tlsServer(presenting(own));
  const asked = { port: server.port, tls: { ca: root.certificate } };
  const noted = await check(asked);
  assert.equal(noted.status, 'up', noted.message);
  assert.match(JSON.stringify(noted.detail['oddities']), /RFC 7633/);
  const { status, reason } = await check({ ...asked, strict: true });
  assert.deepEqual([status, reason], ['down', 'protocol']);
});
