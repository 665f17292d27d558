import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { certificateFolder, issueCertificate, makeRoot } from '../../testing/certificates.ts';
import { tcpServer } from '../../testing/tcp-server.ts';
import { handshake, presenting, tlsServer } from '../../testing/tls-server.ts';
import { groups } from './groups.ts';

const folder = await certificateFolder();
const ca = await makeRoot(folder, 'ca', 'Lab root');
const curveOf = (name: string) => ['ec', '-pkeyopt', `ec_paramgen_curve:${name}`];
const issue = (name: string, key: readonly string[]) =>
  issueCertificate(folder, name, { subject: 'localhost', names: 'DNS:localhost', key });
const own = await issue('own', curveOf('P-256'));
const keys = {
  'P-384': await issue('p384', curveOf('P-384')),
  'P-521': await issue('p521', curveOf('P-521')),
  Ed25519: await issue('ed25519', ['ed25519']),
  Ed448: await issue('ed448', ['ed448']),
  'RSA 2048': await issue('rsa', ['rsa:2048']),
  'RSA-PSS 2048': await issue('pss', ['rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048']),
};

for (const ecdhCurve of groups)
  test(`CB9: a server that has only the group ${ecdhCurve} is reached`, async () => {
    await using server = await tlsServer({ ...presenting(own), ecdhCurve });
    assert.equal((await handshake(server, { ca: ca.certificate })).protocol, 'TLSv1.3');
  });

for (const [name, certificate] of Object.entries(keys))
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    test(`CB9: a server with a key of type ${name} is reached by ${maxVersion}`, async () => {
      await using server = await tlsServer({ ...presenting(certificate), maxVersion });
      const { protocol, certificates } = await handshake(server, { ca: ca.certificate });
      assert.equal(protocol, maxVersion);
      assert.match(`${certificates[0]?.keyType} ${certificates[0]?.keyBits}`, new RegExp(`^(?:EC )?${name}\\b`));
    });

test('CB9: without a common group the message names those that were offered', async () => {
  await using server = await tlsServer({ ...presenting(own), ecdhCurve: 'brainpoolP256r1tls13' });
  await assert.rejects(handshake(server, { ca: ca.certificate }), {
    reason: 'tls-handshake',
    message: /shares no cipher or no key exchange group with us \(X25519, X448, P-256/,
  });
});

test('a server that prefers a hybrid with ML-KEM gets its key share at once, another one only the first time', async () => {
  for (const [ecdhCurve, group] of [
    ['auto', 'X25519MLKEM768'],
    ['X25519', 'X25519'],
  ]) {
    await using server = await tlsServer({ ...presenting(own), ecdhCurve });
    const helloBytes: number[] = [];
    await using relay = await tcpServer((client) => {
      client.once('data', (hello) => helloBytes.push(hello.length));
      const upstream = connect(server.port, '127.0.0.1').on('error', () => {});
      client.pipe(upstream).pipe(client);
    });
    for (const _ of [1, 2]) assert.equal((await handshake(relay, { ca: ca.certificate })).group, group);
    const [first = 0, second = 0] = helloBytes;
    // The share of ML-KEM-768 has 1,184 bytes (FIPS 203, table 3).
    assert.ok(first > 1184, `${first}`);
    assert.equal(second > 1184, ecdhCurve === 'auto', `${second}`);
  }
});
