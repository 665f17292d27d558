import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { testCertificates } from '../../../src/testing/certificates.ts';
import { dnsServer, zone } from '../../../src/testing/dns-server.ts';
import { eventually } from '../../../src/testing/eventually.ts';
import { httpServer } from '../../../src/testing/http-server.ts';
import { ntpServer } from '../../../src/testing/ntp-server.ts';
import { Program } from '../../../src/testing/program.ts';
import { closedPort, tcpServer } from '../../../src/testing/tcp-server.ts';
import { udpServer } from '../../../src/testing/udp-server.ts';
import type { ResultAnswer } from '../../../src/server/routes/tasks.ts';
import { Served } from '../served.ts';
import { removeFolder } from '../../../src/testing/remove-folder.ts';

interface Monitor {
  readonly name: string;
}

/** Something of each protocol on this machine, and the monitors that watch it. */
async function openStands(): Promise<AsyncDisposable & { readonly monitors: readonly Monitor[] }> {
  const stands = new AsyncDisposableStack();
  const { good, ca } = await testCertificates();
  const web = stands.use(await httpServer((_request, response) => response.end('hello')));
  const secure = stands.use(
    await httpServer((_request, response) => response.end('hello'), { cert: good.certificate, key: good.key }),
  );
  const tcp = stands.use(await tcpServer());
  const udp = stands.use(await udpServer((datagram, reply) => reply(datagram)));
  const names = stands.use(await dnsServer(zone(['watched.test 60 A 192.0.2.7'])));
  const time = stands.use(await ntpServer());
  const monitors = [
    { type: 'http', target: web.origin },
    { name: 'https', type: 'http', target: secure.origin, options: { tls: { ca: ca.certificate } } },
    { type: 'icmp', target: '127.0.0.1' },
    { type: 'traceroute', target: '127.0.0.1' },
    { type: 'dns', target: 'watched.test', options: { server: `127.0.0.1:${names.port}` } },
    { type: 'ntp', target: `127.0.0.1:${time.port}` },
    { type: 'tcp', target: `127.0.0.1:${tcp.port}` },
    { type: 'udp', target: `127.0.0.1:${udp.port}`, options: { payload: 'ping' } },
  ].map(({ type, target, options = {}, name = type }) => ({ name, type, target, options, interval: '5s' }));
  return { monitors, [Symbol.asyncDispose]: () => stands.disposeAsync() };
}

/** What an agent answers to a stranger's bytes on its own port. */
async function answerTo(port: number, text: string): Promise<{ readonly type?: string; readonly code?: string }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/agent`);
  const answer = Promise.withResolvers<{ readonly type?: string; readonly code?: string }>();
  socket.once('open', () => socket.send(text));
  socket.on('error', answer.reject);
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { readonly type?: string };
    if (message.type === 'error') answer.resolve(message);
  });
  socket.once('close', () => answer.reject(new Error('it was closed without a word')));
  return await answer.promise.finally(() => socket.terminate());
}

test('B2: an agent that listens runs every protocol for the server that calls it; what lacks a port, names no service or is broken gets a typed error and harms nothing', async () => {
  await using stands = await openStands();
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-every-check-'));
  await using _cleaning = { [Symbol.asyncDispose]: () => removeFolder(folder) };
  const port = await closedPort();
  const words = ['agent', '--listen', `127.0.0.1:${port}`, '--name', 'seat-17', '--data', folder];
  await using agent = new Program(() => words);
  agent.start();
  const entry = await eventually('the agent says how to call it', () => /agents: \[(.*)\]/.exec(agent.said)?.[1]);

  assert.partialDeepStrictEqual(await answerTo(port, '{"type": "challenge",'), { type: 'error', code: 'bad-frame' });

  const wrong = [
    { name: 'no port', type: 'tcp', target: '127.0.0.1', interval: '5s' },
    { name: 'no service', type: 'gopher', target: '127.0.0.1', interval: '5s' },
  ];
  const monitors = JSON.stringify([...wrong, ...stands.monitors]);
  await using server = await Served.start(`monitors: ${monitors}\nagents: [${entry}]\n`, { localAgent: false });
  assert.match(server.said, /monitors\[0\].*port/);
  assert.match(server.said, /monitors\[1\].*gopher/);

  const results = await eventually('each has a result', async () => {
    const { body } = await server.ask('GET', '/tasks');
    const tasks = body.tasks as readonly { readonly monitor: string; readonly latest: ResultAnswer | null }[];
    return tasks.length === stands.monitors.length && tasks.every(({ latest }) => latest) && tasks;
  });
  assert.deepEqual(
    Object.fromEntries(results.map(({ monitor, latest }) => [monitor, latest?.status])),
    Object.fromEntries(stands.monitors.map(({ name }) => [name, 'up'])),
    JSON.stringify(results.map(({ monitor, latest }) => [monitor, latest?.message])),
  );
});
