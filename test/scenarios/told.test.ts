import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { provider } from '../../src/testing/provider.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { Served } from './served.ts';

async function listenOn(port: number): Promise<Server> {
  const server = createServer((socket) => void socket.on('error', () => {}).end());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('people are told once when a target is gone and once when it is back, by one thread', async () => {
  const port = await closedPort();
  await using hooks = await provider(() => ({ status: 204 }));
  await using _server = await Served.start(`
notifiers:
  - { name: hook, kind: webhook, options: { url: '${hooks.origin}/hook' } }
monitors:
  - { name: door, type: tcp, target: '127.0.0.1:${port}', interval: 1s }
`);
  const told = () =>
    hooks.asked.map(({ body }) => JSON.parse(body)).filter(({ data }) => data.subject.includes('door'));
  await eventually('somebody is told of the problem', () => told().length > 0);
  const door = await listenOn(port);
  try {
    await eventually('somebody is told of its end', () => told().length > 1);
    const [problem, recovery] = told();
    assert.deepEqual([problem.type, recovery.type], ['incident.problem', 'incident.recovery']);
    assert.equal(problem.data.thread, recovery.data.thread);
    assert.match(problem.data.headline, /^DOWN door/);
    assert.match(recovery.data.headline, /^UP door/);
  } finally {
    door.close();
  }
});
