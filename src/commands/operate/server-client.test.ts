import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { httpServer } from '../../testing/http-server.ts';
import { done } from './server-answers.ts';
import { ServerClient } from './server-client.ts';

function clientOf(port: number): ServerClient {
  return new ServerClient({
    name: 'the server',
    host: 'localhost',
    open: async () => connect({ port, host: '127.0.0.1' }),
  });
}

describe('a server that falls silent is given up, with the reason', () => {
  const silences: readonly (readonly [string, Parameters<typeof httpServer>[0]])[] = [
    ['before it answers', () => {}],
    ['in the middle of its answer', (_request, response) => response.writeHead(200).write('{')],
  ];
  for (const [when, answer] of silences) {
    test(when, async () => {
      await using server = await httpServer(answer);
      await assert.rejects(clientOf(server.port).post('/x', done, { silenceMs: 100 }), {
        code: 'unavailable',
        message: 'the line to the server was lost: no word for 0.1 s',
      });
    });
  }
});

test('what a server says is wrong is passed on, harmless to the terminal; its own faults are not ours', async () => {
  const errors = [
    { code: 'not-found', detail: 'there is no agent "\u009b31m"' },
    { code: 'internal', detail: 'this is a fault of the server; its log says more' },
  ];
  await using server = await httpServer((_request, response) =>
    response.writeHead(500).end(JSON.stringify(errors.shift())),
  );
  const client = clientOf(server.port);
  await assert.rejects(client.get('/x', done), { code: 'not-found', message: 'there is no agent "\\x9b31m"' });
  await assert.rejects(client.get('/x', done), { code: 'unavailable', message: /its log says more/ });
});
