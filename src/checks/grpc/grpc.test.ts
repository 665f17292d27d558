import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import type { Outcome } from '../../core/outcome.ts';
import { testCertificates, type TestCertificate } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { stand, type Stand } from '../../testing/stand.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { checkContract } from '../check.contract.ts';
import { grpc } from './grpc.ts';

checkContract(grpc, { answering: () => serverThat(), silent: silentServer });

interface Answer {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer;
  /** None if undefined: then the answer ends with its headers or its body. */
  readonly trailers?: OutgoingHttpHeaders;
}

interface GrpcStand extends Stand<{ readonly host: string; readonly port: number }> {
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: Buffer }[];
}

const serving: Answer = { body: Buffer.from('00000000020801', 'hex'), trailers: { 'grpc-status': '0' } };
const status = (code: number, message?: string): Answer => ({
  headers: { 'grpc-status': code, ...(message !== undefined && { 'grpc-message': message }) },
});

/** An HTTP/2 server on a free loopback port that answers each call so. */
async function serverThat(answer: Answer = serving, secure?: TestCertificate): Promise<GrpcStand> {
  const server = secure ? createSecureServer({ cert: secure.certificate, key: secure.key }) : createServer();
  const sessions = new Set<Http2Session>();
  const requests: GrpcStand['requests'] = [];
  server.on('session', (session: Http2Session) => {
    sessions.add(session);
    session.on('error', () => {}).once('close', () => sessions.delete(session));
  });
  server.on('stream', async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {});
    requests.push({ headers, body: await buffer(stream) });
    respond(stream, answer);
  });
  server.on('error', () => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const session of sessions) session.destroy();
    server.close();
    await once(server, 'close');
  };
  return { ...stand({ host: secure ? 'localhost' : '127.0.0.1', port }, close), requests };
}

function respond(stream: ServerHttp2Stream, { headers, body, trailers }: Answer): void {
  const head = { ':status': 200, 'content-type': 'application/grpc+proto', ...headers };
  if (!body && !trailers) return stream.respond(head, { endStream: true });
  stream.respond(head, { waitForTrailers: trailers !== undefined });
  if (trailers) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

async function silentServer(): Promise<Stand> {
  const server = await tcpServer((socket) => socket.resume());
  return stand({ host: server.host, port: server.port }, () => server[Symbol.asyncDispose]());
}

const run = (options: object, timeoutMs = 5000): Promise<Outcome> =>
  grpc.run(grpc.options.parse(options), testContext({ signal: AbortSignal.timeout(timeoutMs) }));

describe('a server that says SERVING', () => {
  test('is up, in plain text', async () => {
    await using server = await serverThat();
    const outcome = await run(server.options);
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.message, 'The server is SERVING.');
    assert.deepEqual(Object.keys(outcome.metrics), ['resolveMs', 'connectMs', 'grpcStatus', 'answerMs']);
  });

  test('is up over TLS, and its certificate is judged', async () => {
    const { good, ca, expired } = await testCertificates();
    const tls = { enabled: true, ca: ca.certificate };
    await using server = await serverThat(serving, good);
    const outcome = await run({ ...server.options, family: '4', tls });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.ok((outcome.metrics['certificateDaysLeft'] ?? 0) > 14);
    await using other = await serverThat(serving, expired);
    assert.equal((await run({ ...other.options, family: '4', tls })).reason, 'tls-expired');
  });

  test('gets the call as the protocol has it, with the service and the metadata of the options', async () => {
    await using server = await serverThat();
    const outcome = await run({ ...server.options, service: 'mail', deadline: '2s', headers: { 'x-tenant': 'a' } });
    assert.equal(outcome.message, 'Service "mail" is SERVING.');
    const [request] = server.requests;
    const { ':method': method, ':path': path, ':scheme': scheme, te, ...rest } = request?.headers ?? {};
    assert.deepEqual([method, path, scheme, te], ['POST', '/grpc.health.v1.Health/Check', 'http', 'trailers']);
    assert.deepEqual(
      [rest['content-type'], rest['grpc-timeout'], rest['x-tenant']],
      ['application/grpc', '2000m', 'a'],
    );
    assert.equal(request?.body.toString('hex'), `00000000060a04${Buffer.from('mail').toString('hex')}`);
  });
});

describe('a server that says something else', () => {
  const notServing = { ...serving, body: Buffer.from('00000000020802', 'hex') };
  const table: readonly (readonly [what: string, answer: Answer, reason: string, message: RegExp])[] = [
    ['NOT_SERVING', notServing, 'assertion', /Expected the server to be SERVING, it is NOT_SERVING/],
    ['UNKNOWN', { ...serving, body: Buffer.alloc(5) }, 'assertion', /it is UNKNOWN/],
    [
      'NOT_FOUND',
      status(5, 'unknown service'),
      'assertion',
      /got NOT_FOUND "unknown service": the server does not know/,
    ],
    ['UNIMPLEMENTED', status(12), 'assertion', /got UNIMPLEMENTED: the server has no health service/],
    ['UNAUTHENTICATED', status(16), 'assertion', /the server wants credentials/],
    ['UNAVAILABLE', status(14, 'starting%0Aup'), 'assertion', /got UNAVAILABLE "starting\\nup"/],
    ['DEADLINE_EXCEEDED', status(4), 'timeout', /got DEADLINE_EXCEEDED/],
    ['code 77', status(77), 'assertion', /got code 77/],
    ['a failure after a message', { ...serving, trailers: { 'grpc-status': 13 } }, 'assertion', /got INTERNAL/],
    ['no status', { ...serving, trailers: {} }, 'protocol', /Expected a grpc-status/],
    ['a status that is none', status(-1), 'protocol', /Expected a grpc-status after the answer, got "-1"/],
    ['OK without a message', status(0), 'protocol', /expected a message, got 0 bytes/],
    ['a compressed message', { ...serving, body: Buffer.from('01000000020801', 'hex') }, 'protocol', /compression/],
    ['a web page', { headers: { 'content-type': 'text/html' } }, 'protocol', /application\/grpc, got "text\/html"/],
    ['502', { headers: { ':status': 502, 'content-type': 'text/html' } }, 'assertion', /got 502 Bad Gateway/],
  ];
  for (const [what, answer, reason, message] of table) {
    test(`${what}: ${reason}`, async () => {
      await using server = await serverThat(answer);
      const outcome = await run(server.options);
      assert.deepEqual([outcome.status, outcome.reason], ['down', reason], outcome.message);
      assert.match(outcome.message, message);
    });
  }

  test('nothing within the deadline: timeout', async () => {
    await using server = await silentServer();
    const outcome = await run({ ...server.options, deadline: '100ms' });
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'timeout']);
    assert.match(outcome.message, /No answer within 100ms/);
  });

  test('HTTP/1.1: protocol', async () => {
    await using server = await tcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    assert.equal((await run({ host: server.host, port: server.port })).reason, 'protocol');
  });

  test('nothing, for it is not there: refused', async () => {
    assert.equal((await run({ host: '127.0.0.1', port: await closedPort() })).reason, 'refused');
  });
});
