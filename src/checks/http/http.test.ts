import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../core/outcome.ts';
import { testContext } from '../../testing/context.ts';
import { httpServer } from '../../testing/http-server.ts';
import { stand } from '../../testing/stand.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { checkContract } from '../check.contract.ts';
import { http } from './http.ts';

function run(given: unknown): Promise<Outcome> {
  return http.run(http.options.parse(given), testContext());
}

checkContract(http, {
  async answering() {
    const server = await httpServer((_, response) => response.end('hello'));
    return stand({ url: `${server.origin}/` }, () => server[Symbol.asyncDispose]());
  },
  async silent() {
    const server = await tcpServer((socket) => socket.resume());
    return stand({ url: `http://${server.host}:${server.port}/` }, () => server[Symbol.asyncDispose]());
  },
});

test('a page that answers 200 is up, with the time of each phase', async () => {
  await using server = await httpServer((_, response) => response.end('hello'));
  const outcome = await run({ url: server.origin });
  assert.equal(outcome.status, 'up');
  assert.equal(outcome.message, '200 OK');
  assert.equal(outcome.metrics['statusCode'], 200);
  assert.equal(outcome.metrics['bodyBytes'], 5);
  for (const phase of ['resolveMs', 'connectMs', 'firstByteMs', 'transferMs'])
    assert.ok((outcome.metrics[phase] ?? -1) >= 0, phase);
});

test('a target is a URL, or a host with the word used as its scheme', () => {
  assert.deepEqual(http.fromTarget('www.google.com', 'http'), { url: 'http://www.google.com' });
  assert.deepEqual(http.fromTarget('www.google.com', 'https'), { url: 'https://www.google.com' });
  assert.deepEqual(http.fromTarget('https://www.google.com/x', 'http'), { url: 'https://www.google.com/x' });
});

test('a port where nothing listens is down, refused', async () => {
  const outcome = await run({ url: `http://127.0.0.1:${await closedPort()}/` });
  assert.equal(outcome.status, 'down');
  assert.equal(outcome.reason, 'refused');
});
