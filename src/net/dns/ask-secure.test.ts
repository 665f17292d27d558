import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { testCertificates } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { record, replyTo } from '../../testing/dns-server.ts';
import { decodeMessage } from '../packets/dns/decode.ts';
import { encodeMessage } from '../packets/dns/message.ts';
import { askByHttps } from './ask-secure.ts';
import type { DnsReply } from './query.ts';

/** HTTP/1.1 only; test/peers has a real server that speaks HTTP/2. */
async function askServer(listener: RequestListener): Promise<DnsReply> {
  const { good, ca } = await testCertificates();
  await using server = createServer({ cert: good.certificate, key: good.key }, listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { net, signal } = testContext();
  // A listening TCP server has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const tls = {
    serverName: 'localhost',
    verify: true,
    minVersion: 'TLSv1.3',
    ca: ca.certificate,
    resume: false,
    ocsp: 'staple',
  } as const;
  const asking = {
    server: { address: { ip: '127.0.0.1', family: 4 }, port },
    host: 'localhost',
    path: '/dns-query',
  } as const;
  const query = { question: { name: 'example.test', type: 'A' }, recursionDesired: true };
  return await askByHttps(net, query, { ...asking, tls, clock: systemClock, signal });
}

const answers = [record('example.test 60 A 192.0.2.1')];

const proper: RequestListener = ({ url = '' }, response) => {
  const encoded = new URL(url, 'https://localhost').searchParams.get('dns') ?? '';
  const query = decodeMessage(Buffer.from(encoded, 'base64url'));
  response.setHeader('content-type', 'application/dns-message').end(encodeMessage(replyTo(query, { answers })));
};

const tooLong: RequestListener = (_, response) =>
  response.setHeader('content-type', 'application/dns-message').end(Buffer.alloc(70_000));

describe('DNS over HTTPS by HTTP/1.1', () => {
  test('the question goes in the address with id zero, and the body is the answer', async () => {
    const { message } = await askServer(proper);
    assert.equal(message.id, 0);
    assert.deepEqual(message.answers, answers);
  });

  const table: readonly (readonly [what: string, listener: RequestListener, message: RegExp])[] = [
    ['another status', (_, response) => response.writeHead(503).end(), /Expected 200 from .* by HTTPS, got 503/],
    ['a web page', (_, response) => response.end('<html>'), /Expected application\/dns-message .* type none/],
    [
      'a body that is no DNS message',
      (_, response) => response.setHeader('content-type', 'application/dns-message').end('no'),
      /2 bytes that are none/,
    ],
  ];
  for (const [what, listener, message] of table) {
    test(`${what} is a protocol failure that says what came`, async () => {
      await assert.rejects(askServer(listener), { name: 'Failure', reason: 'protocol', message });
    });
  }

  test('a body longer than any DNS message is too large', async () => {
    await assert.rejects(askServer(tooLong), { reason: 'too-large' });
  });
});
