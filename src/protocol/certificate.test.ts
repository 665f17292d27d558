import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { channelBinding } from '../adapters/web-socket-line.ts';
import { createCertificate } from './certificate.ts';

test('a certificate we make is one by the books, signed by its own key', () => {
  const now = Date.UTC(2026, 10, 21);
  const { certificate } = createCertificate('watchkeeper 0193a0de', now);
  const parsed = new X509Certificate(certificate);
  assert.equal(parsed.subject, 'CN=watchkeeper 0193a0de');
  assert.ok(parsed.verify(parsed.publicKey));
  assert.equal(parsed.validFromDate.getTime(), now - 86_400_000);
  assert.equal(parsed.validToDate.getFullYear(), 2056);
});

test('both ends of a TLS connection on it have the same binding, and no other connection has it', async () => {
  const { certificate, key } = createCertificate('test', Date.now());
  const bindings: string[] = [];
  await using server = createServer({ cert: certificate, key }, (socket) => {
    bindings.push(channelBinding(socket));
    socket.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clientSide: string[] = [];
  for (let i = 0; i < 2; i++) {
    const socket = connect({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    clientSide.push(channelBinding(socket));
    socket.resume();
    await once(socket, 'close');
  }
  assert.deepEqual(clientSide, bindings);
  assert.notEqual(bindings[0], bindings[1]);
  assert.ok(bindings[0]);
});
