import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { AttackedServer, countOf } from './attacked-server.ts';
import { heartbeat, newIdentity, WrongAgent } from './wrong-agent.ts';

let server: AttackedServer;
const sockets: Socket[] = [];

before(async () => {
  server = await AttackedServer.open({ flags: ['--no-local-agent'], descriptors: 300 });
});
after(async () => {
  for (const socket of sockets) socket.destroy();
  await server[Symbol.asyncDispose]();
});

async function idle(first = ''): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  if (first !== '') socket.write(first);
}

async function health(): Promise<{ readonly code: number; readonly warnings: readonly string[] }> {
  const response = await fetch(`${server.url}/healthz`, { headers: { Connection: 'close' } });
  const { warnings } = (await response.json()) as { readonly warnings: readonly string[] };
  return { code: response.status, warnings };
}

describe('AT7: a server of 300 descriptors', () => {
  for (const [what, first] of [
    ['say nothing', ''],
    ['begin a request and never end it', 'GET /metrics HTTP/1.1\r\nHost: x\r\n'],
    ['never read what they asked for', 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'],
    [
      'ask for an upgrade and say nothing then',
      'GET /agent HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    ],
  ] as const)
    test(`serves agents and people while 400 connections ${what}`, async () => {
      using known = await WrongAgent.welcomed(server.url, {
        identity: newIdentity(`before they ${what}`.slice(0, 100)),
        token: await server.invite(),
      });
      for (let at = 0; at < 400; at++) await idle(first);
      using late = await WrongAgent.welcomed(server.url, {
        identity: newIdentity(`while they ${what}`.slice(0, 100)),
        token: await server.invite(),
      });
      known.say(heartbeat());
      await known.until('heartbeat-seen');
      late.say(heartbeat());
      await late.until('heartbeat-seen');
      const token = (await readFile(join(server.data, 'api-token'), 'utf8')).trim();
      const answer = await fetch(`${server.url}/api/v1/agents`, { headers: { Authorization: `Bearer ${token}` } });
      assert.equal(answer.status, 200);
      await answer.text();
    });

  test('says so once in its log, in its health, which stays green, and in its metrics', async () => {
    assert.equal(countOf(/There is no room for more connections, the last from 127\.0\.0\.1/, server.said), 1);
    const { code, warnings } = await health();
    assert.equal(code, 200);
    assert.deepEqual(warnings, [
      'there is no room for more connections without a token: the oldest of them are being closed',
    ]);
    assert.ok((await server.metric('watchkeeper_crowded_connections_total')) > 1000);
  });

  test('has room again when they are gone', async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await eventually(
      'the places are free',
      async () => (await server.metric('watchkeeper_connections{proved="no"}')) < 5,
    );
  });
});

describe('AT7: a page that somebody has open in a browser', () => {
  for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1', ''])
    test(`of ${origin === '' ? 'an empty origin' : origin} opens no line`, async () => {
      const socket = connect(server.port, '127.0.0.1');
      const headers = `Host: x\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket`;
      const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
      socket.write(`GET /agent HTTP/1.1\r\n${headers}\r\n${key}\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 403 Forbidden\r\n/);
      await once(socket, 'close');
    });
});
