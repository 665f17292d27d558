import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { describe, test } from 'node:test';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import type { Outcome } from '../../core/outcome.ts';
import { testCertificates, type TestCertificate } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { stand, type Stand } from '../../testing/stand.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { checkContract } from '../check.contract.ts';
import { websocket } from './websocket.ts';

checkContract(websocket, { answering: () => serverThat(), silent: silentServer });

interface Server extends Stand<{ readonly url: string }> {
  readonly sockets: Set<WebSocket>;
}

/** The `ws` package's server on a free loopback port. */
async function serverThat(
  onConnection: (socket: WebSocket) => void = () => {},
  options: ServerOptions = {},
  secure?: TestCertificate,
): Promise<Server> {
  const https = secure && createServer({ cert: secure.certificate, key: secure.key }).on('tlsClientError', () => {});
  https?.listen(0, '127.0.0.1');
  if (https) await once(https, 'listening');
  const server = new WebSocketServer({ ...(https ? { server: https } : { host: '127.0.0.1', port: 0 }), ...options });
  if (!https) await once(server, 'listening');
  server.on('connection', (socket: WebSocket) => onConnection(socket.on('error', () => {})));
  const { port } = server.address() as AddressInfo;
  const url = secure ? `wss://localhost:${port}/live` : `ws://127.0.0.1:${port}/live`;
  const close = async (): Promise<void> => {
    for (const socket of server.clients) socket.terminate();
    https?.closeAllConnections();
    https?.close();
    server.close();
    await once(server, 'close');
  };
  return { ...stand({ url }, close), sockets: server.clients };
}

async function silentServer(): Promise<Stand> {
  const server = await tcpServer((socket) => socket.resume());
  return stand({ url: `ws://127.0.0.1:${server.port}/` }, () => server[Symbol.asyncDispose]());
}

const run = (options: object, timeoutMs = 5000): Promise<Outcome> =>
  websocket.run(websocket.options.parse(options), testContext({ signal: AbortSignal.timeout(timeoutMs) }));

describe('a server that keeps RFC 6455', () => {
  test('is up, with the time of each phase and its normal closure', async () => {
    await using server = await serverThat();
    const outcome = await run(server.options);
    assert.equal(outcome.status, 'up', outcome.message);
    assert.deepEqual(Object.keys(outcome.metrics), ['resolveMs', 'connectMs', 'upgradeMs', 'pingMs']);
    assert.equal(outcome.detail['closeCode'], 1000);
    assert.equal(outcome.detail['oddities'], undefined);
  });

  test('is up by a URL with its scheme in capitals, in plain text all the same', async () => {
    await using server = await serverThat();
    const outcome = await run({ url: server.options.url.replace('ws:', 'WS:') });
    assert.equal(outcome.status, 'up', outcome.message);
  });

  test('is up over TLS, and its certificate is judged', async () => {
    const { good, ca, wrongName } = await testCertificates();
    await using server = await serverThat(undefined, {}, good);
    const outcome = await run({ ...server.options, family: '4', tls: { ca: ca.certificate } });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.ok((outcome.metrics['certificateDaysLeft'] ?? 0) > 14);
    await using other = await serverThat(undefined, {}, wrongName);
    const bad = await run({ ...other.options, family: '4', tls: { ca: ca.certificate } });
    assert.equal(bad.reason, 'tls-wrong-name', bad.message);
  });

  test('answers what is sent with what is expected', async () => {
    await using server = await serverThat((socket) =>
      socket.on('message', (text: Buffer) => socket.send(`you said ${text.toString()}`)),
    );
    const outcome = await run({ ...server.options, send: 'grüß Gott', expect: '^you said grüß' });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.detail['message'], 'you said grüß Gott');
    assert.ok('messageMs' in outcome.metrics);
  });

  for (const length of [0, 1, 125, 126, 4000, 65_535, 65_536]) {
    test(`hears a message of ${length} bytes, and is heard with as many`, async () => {
      const sent = 'x'.repeat(length);
      await using server = await serverThat((socket) =>
        socket.on('message', (text: Buffer) => {
          socket.send(text.toString() === sent ? `all ${length} bytes` : 'something else');
          socket.send('y'.repeat(length));
        }),
      );
      const outcome = await run({ ...server.options, send: sent, expect: `^all ${length} bytes$` });
      assert.equal(outcome.status, 'up', outcome.message);
      assert.equal(outcome.detail['closeCode'], 1000);
    });
  }

  test('may send other messages first, and in fragments, and ping in between', async () => {
    await using server = await serverThat((socket) => {
      socket.send('hello');
      socket.send('sta', { fin: false });
      socket.ping('are you there');
      socket.send('te: ready', { fin: true });
    });
    const outcome = await run({ ...server.options, expect: '^state: ready$' });
    assert.equal(outcome.status, 'up', outcome.message);
  });

  test('hears the pong of each of its pings', async () => {
    const heard = Promise.withResolvers<string>();
    await using server = await serverThat((socket) => {
      socket.once('pong', (data) => heard.resolve(data.toString()));
      socket.ping('abc', undefined, () => {});
    });
    const [outcome] = await Promise.all([run(server.options), heard.promise]);
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(await heard.promise, 'abc');
  });

  test('chooses one of the subprotocols that are offered', async () => {
    await using server = await serverThat(undefined, { handleProtocols: () => 'graphql-ws' });
    const outcome = await run({ ...server.options, subprotocols: ['mqtt', 'graphql-ws'] });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.detail['subprotocol'], 'graphql-ws');
  });

  test('gets the headers of the options', async () => {
    let seen: string | undefined;
    const server = await serverThat(undefined, {
      verifyClient: ({ req }: { req: IncomingMessage }) => {
        seen = req.headers['authorization'];
        return true;
      },
    });
    await using _server = server;
    await run({ ...server.options, headers: { Authorization: 'Bearer x' } });
    assert.equal(seen, 'Bearer x');
  });
});

describe('a server that does not', () => {
  test('says another message than the expected one: timeout, with what it said', async () => {
    await using server = await serverThat((socket) => socket.send('maintenance'));
    const outcome = await run({ ...server.options, expect: 'ready' }, 300);
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'timeout']);
    assert.match(outcome.message, /last said "maintenance"/);
  });

  test('closes before the message: closed, with its code and words', async () => {
    await using server = await serverThat((socket) => socket.close(1013, 'try again later'));
    const outcome = await run({ ...server.options, expect: 'ready' });
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'closed']);
    assert.match(outcome.message, /1013 "try again later"/);
  });

  test('refuses with 401: assertion, with the status', async () => {
    await using server = await serverThat(undefined, { verifyClient: () => false });
    const outcome = await run(server.options);
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'assertion']);
    assert.match(outcome.message, /Expected 101 Switching Protocols, got 401 Unauthorized/);
  });

  test('chooses none of the subprotocols: assertion', async () => {
    await using server = await serverThat(undefined, { handleProtocols: () => false });
    const outcome = await run({ ...server.options, subprotocols: ['mqtt'] });
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'assertion'], outcome.message);
  });

  test('sends a message over 1 MiB: too-large', async () => {
    await using server = await serverThat((socket) => socket.send(Buffer.alloc(1_048_577)));
    assert.equal((await run({ ...server.options, expect: 'x' })).reason, 'too-large');
  });

  test('sends much that does not match: unknown, for the rest was not searched', async () => {
    await using server = await serverThat((socket) => socket.send('x'.repeat(70_000)));
    const outcome = await run({ ...server.options, expect: 'ready' });
    assert.deepEqual([outcome.status, outcome.reason], ['unknown', 'too-large'], outcome.message);
  });

  test('is not there: refused', async () => {
    assert.equal((await run({ url: `ws://127.0.0.1:${await closedPort()}/` })).reason, 'refused');
  });
});

/** Upgrades rightly, then does what the test says with the connection. */
async function afterUpgrade(act: (socket: Socket) => void, fields: readonly string[] = []): Promise<Stand> {
  const server = await tcpServer((socket) =>
    socket.once('data', (request) => {
      const key = /sec-websocket-key: (\S+)/i.exec(request.toString())?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const right = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
      const kept = right.filter((line) => !fields.some((field) => field.startsWith(line.split(':')[0] ?? '')));
      socket.write(['HTTP/1.1 101 Switching Protocols', ...kept, ...fields, '', ''].join('\r\n'));
      act(socket);
    }),
  );
  return stand({ url: `ws://127.0.0.1:${server.port}/` }, () => server[Symbol.asyncDispose]());
}

describe('an upgrade that is not right', () => {
  const table: readonly (readonly [what: string, field: string, reason: string, message: RegExp])[] = [
    ['another accept', 'Sec-WebSocket-Accept: AAAA', 'protocol', /Expected Sec-WebSocket-Accept: .*, got "AAAA"/],
    ['another protocol', 'Upgrade: h2c', 'protocol', /Expected Upgrade: websocket/],
    ['no word of upgrading', 'Connection: close', 'protocol', /Expected Connection: Upgrade/],
    ['an extension', 'Sec-WebSocket-Extensions: permessage-deflate', 'protocol', /no WebSocket extension/],
    ['a subprotocol nobody offered', 'Sec-WebSocket-Protocol: mqtt', 'protocol', /no subprotocol.*chose "mqtt"/],
  ];
  for (const [what, field, reason, message] of table) {
    test(`with ${what} is ${reason}`, async () => {
      await using server = await afterUpgrade(() => {}, [field]);
      const outcome = await run(server.options);
      assert.deepEqual([outcome.status, outcome.reason], ['down', reason], outcome.message);
      assert.match(outcome.message, message);
    });
  }

  test('whose fields are written in other capitals is right', async () => {
    await using server = await afterUpgrade(
      (socket) => socket.end(),
      ['Connection: keep-alive, UPGRADE', 'Upgrade: WebSocket'],
    );
    assert.equal((await run({ ...server.options, ping: false })).status, 'up');
  });

  test('that leads elsewhere is told as such', async () => {
    await using server = await tcpServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 301 Moved\r\nLocation: wss://other.test/\r\n\r\n')),
    );
    const outcome = await run({ url: `ws://127.0.0.1:${server.port}/` });
    assert.match(outcome.message, /got 301 Moved, which leads to "wss:\/\/other\.test\/"/);
  });
});

describe('frames that are not right', () => {
  const table: readonly (readonly [what: string, hex: string, reason: string])[] = [
    ['a masked message', '818537fa213d7f9f4d5158', 'protocol'],
    ['a text that is no UTF-8', '8102c328', 'protocol'],
    ['a continuation of nothing', '800178', 'protocol'],
    ['a second message within a first', '010178810178', 'protocol'],
    ['an unknown opcode', '8300', 'protocol'],
    ['a hundred thousand pings', '8900'.repeat(100_000), 'too-large'],
  ];
  for (const [what, hex, reason] of table) {
    test(`${what}: ${reason}`, async () => {
      await using server = await afterUpgrade((socket) => socket.write(Buffer.from(hex, 'hex')));
      const outcome = await run(server.options);
      assert.deepEqual([outcome.status, outcome.reason], ['down', reason], outcome.message);
    });
  }

  test('no pong to a ping: timeout', async () => {
    await using server = await afterUpgrade(() => {});
    const outcome = await run(server.options, 300);
    assert.equal(outcome.reason, 'timeout');
    assert.match(outcome.message, /Waiting for the pong/);
  });

  test('no Close frame in answer to ours is an oddity, and down for who is strict', async () => {
    await using server = await afterUpgrade((socket) => socket.once('data', () => socket.end()));
    const outcome = await run({ ...server.options, ping: false });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.match(JSON.stringify(outcome.detail['oddities']), /did not answer the Close frame/);
    const strict = await run({ ...server.options, ping: false, strict: true });
    assert.deepEqual([strict.status, strict.reason], ['down', 'protocol']);
  });

  test('messages and a Close that come in one piece with the upgrade are read', async () => {
    await using server = await afterUpgrade((socket) => socket.write(Buffer.from('81057265616479880203e8', 'hex')));
    const outcome = await run({ ...server.options, ping: false, expect: '^ready$' });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.detail['closeCode'], 1000);
  });
});

describe('options', () => {
  test('ws and wss name the scheme of a bare host', () => {
    assert.deepEqual(websocket.fromTarget('example.test/live', 'wss'), { url: 'wss://example.test/live' });
    assert.deepEqual(websocket.fromTarget('example.test', 'websocket'), { url: 'ws://example.test' });
    assert.deepEqual(websocket.fromTarget('wss://example.test', 'ws'), { url: 'wss://example.test' });
  });

  for (const [what, options] of [
    ['an http URL', { url: 'http://example.test/' }],
    ['a key of the handshake as a header', { url: 'ws://example.test/', headers: { 'Sec-WebSocket-Key': 'x' } }],
    ['a subprotocol with a comma', { url: 'ws://example.test/', subprotocols: ['a,b'] }],
  ] as const)
    test(`${what} is refused`, () => assert.ok(!websocket.options.safeParse(options).success));
});
