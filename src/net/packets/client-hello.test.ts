import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { serverNameOf } from './client-hello.ts';

/** What Node's own TLS says first. */
async function greetingFor(servername: string): Promise<Buffer> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // A listening TCP server has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false }).on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [NodeJS.ReadableStream & { destroy(): void }];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  client.destroy();
  server.close();
  return bytes;
}

test('the name in a greeting of OpenSSL is found', async () => {
  assert.equal(serverNameOf(await greetingFor('www.example.org')), 'www.example.org');
  assert.equal(serverNameOf(await greetingFor('')), undefined);
});

test('a greeting cut short anywhere has its name or none, never a part of it', async () => {
  const greeting = await greetingFor('www.example.org');
  const end = greeting.indexOf('www.example.org') + 'www.example.org'.length;
  for (let length = 0; length <= greeting.length; length++)
    assert.equal(serverNameOf(greeting.subarray(0, length)), length < end ? undefined : 'www.example.org', `${length}`);
});

test('any bytes, and a greeting with some of its bytes changed, are read without an error', async () => {
  const greeting = await greetingFor('www.example.org');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const name = serverNameOf(Buffer.from([22, 3, 1, 1, 0, 1, ...bytes]));
      assert.ok(name === undefined || name.length <= 300);
    }),
    { numRuns: 10_000 },
  );
  const change = fc.tuple(fc.nat(greeting.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = Buffer.from(greeting);
      for (const [at, value] of changes) bytes[at] = value;
      serverNameOf(bytes);
    }),
    { numRuns: 10_000 },
  );
});
