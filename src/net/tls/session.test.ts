import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { testCertificates } from '../../testing/certificates.ts';
import { handshake, presenting, tlsServer } from '../../testing/tls-server.ts';

const { ca, good, expiringSoon, wildcard } = await testCertificates();
const resuming = { ca: ca.certificate, resume: true };

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a resumed session shows the certificates of the full handshake (${maxVersion})`, async () => {
    await using server = await tlsServer({ ...presenting(good), maxVersion });
    const full = await handshake(server, resuming);
    const again = await handshake(server, resuming);
    assert.deepEqual([full.resumed, again.resumed], [false, true]);
    assert.deepEqual(again.certificates, full.certificates);
    assert.deepEqual(again.expiresFirst, full.expiresFirst);
  });

  test(`MU34: a session is resumed only with the same name at the same port (${maxVersion})`, async () => {
    // Servers that share their ticket keys would take each other's sessions.
    const options = { ...presenting(good), ticketKeys: randomBytes(48), sessionIdContext: 'shared', maxVersion };
    await using server = await tlsServer(options);
    await using other = await tlsServer(options);
    await handshake(server, resuming);
    // Before another name is asked for: that leaves a session of its own, which the server takes for no other name.
    assert.equal((await handshake(other, resuming)).resumed, false);
    assert.equal((await handshake(server, { ...resuming, serverName: 'example.test' })).resumed, false);
    assert.equal((await handshake(server, resuming)).resumed, true);
    assert.equal(
      (await handshake(server, { ...resuming, minVersion: maxVersion, serverName: '127.0.0.1' })).resumed,
      false,
    );
  });
}

test('CT4: a session is not resumed once a certificate that it was made with has expired', async () => {
  await using server = await tlsServer(presenting(expiringSoon));
  await handshake(server, resuming);
  const inFourDays = { ...systemClock, now: () => Date.now() + 4 * 86_400_000 };
  assert.equal((await handshake(server, { ...resuming, clock: inFourDays })).resumed, false);
  assert.equal((await handshake(server, resuming)).resumed, true);
});

test('a session with certificates that were not accepted is not kept', async () => {
  await using server = await tlsServer(presenting(wildcard));
  const tolerant = { ...resuming, verify: false };
  assert.equal((await handshake(server, tolerant)).resumed, false);
  assert.equal((await handshake(server, tolerant)).resumed, false);
  await assert.rejects(handshake(server, resuming), { reason: 'tls-wrong-name' });
});
