import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { timed } from '../../src/testing/lateness.ts';
import { Program } from '../../src/testing/program.ts';
import { AttackedServer, countOf } from './attacked-server.ts';

const monitorCount = 15_000;

/** A server with 10 MB of tasks for one agent, and that agent, started. Nobody listens where they look. */
async function openLarge(interval: string): Promise<{ readonly server: AttackedServer; readonly agent: Program }> {
  const monitors = Array.from({ length: monitorCount }, (_, index) => ({
    name: `monitor ${index}`,
    type: 'http',
    target: `http://127.0.0.1:9/${'p'.repeat(500)}${index}`,
    interval,
    agents: ['big'],
  }));
  const configuration = JSON.stringify({ monitors });
  const server = await AttackedServer.open({ configuration, flags: ['--no-local-agent'] });
  const token = await server.invite();
  const words = [
    'agent',
    '--join',
    server.url,
    '--token',
    token,
    '--name',
    'big',
    '--data',
    join(server.folder, 'big'),
  ];
  const agent = new Program(() => words);
  agent.start();
  return { server, agent };
}

async function assertStops(agent: Program): Promise<void> {
  const { lateMs } = await timed(() => agent.stop());
  assert.ok(lateMs < 10_000, `${lateMs} ms`);
}

test('more tasks than a line holds at once reach their agent over that line', async () => {
  const large = await openLarge('1h');
  await using server = large.server;
  await using agent = large.agent;
  await eventually('it has all tasks', async () => (await server.agent('big'))?.tasks === monitorCount);
  assert.equal(countOf(/Connected to/, agent.said), 1);
  assert.equal(await server.faults('connection'), 0);
  await assertStops(agent);
});

test('an agent that is told to stop while its tasks still come starts none of them', async () => {
  const large = await openLarge('1s');
  await using _server = large.server;
  await using agent = large.agent;
  await eventually('it is connected', () => agent.said.includes('Connected to'));
  await assertStops(agent);
});
