import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { httpServer } from '../../src/testing/http-server.ts';
import { Program } from '../../src/testing/program.ts';
import { tcpServer } from '../../src/testing/tcp-server.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { AttackedServer } from '../hostile/attacked-server.ts';

interface TaskAnswer {
  readonly agent: string;
  readonly latest: { readonly status: string; readonly reason: string | null } | null;
}

/** The same target from two agents: what each may reach is its own administrator's word. */
async function latestOf(server: AttackedServer, agent: string): Promise<string> {
  return await eventually(`a result of ${agent}`, async () => {
    const { tasks } = await server.ask<{ readonly tasks: readonly TaskAnswer[] }>(`/tasks?agent=${agent}`);
    const latest = tasks[0]?.latest;
    return latest ? `${latest.status} ${latest.reason ?? ''}`.trim() : undefined;
  });
}

test('an agent reaches what its own policy allows: the local one by the configuration, another by --egress', async (t) => {
  await using door = await tcpServer();
  await using server = await AttackedServer.prepare();
  const monitor = { name: 'door', type: 'tcp', target: `127.0.0.1:${door.port}`, interval: '1s' };
  const configuration = { monitors: [monitor], egress: { deny: ['127.0.0.0/8'] } };
  await server.configure(JSON.stringify(configuration));
  server.program.start();
  await server.untilAnswering();
  assert.equal(await latestOf(server, 'local'), 'unknown denied');
  await server.configure(JSON.stringify({ ...configuration, egress: {} }));
  server.program.signal('SIGHUP');
  await eventually('a reload tells the local agent', async () => (await latestOf(server, 'local')) === 'up');

  const policy = join(server.folder, 'policy.yaml');
  await writeFile(policy, 'egress: { deny: [192.0.2.0/24] }\n');
  const words = ['agent', '--join', server.url, '--name', 'other', '--data', join(server.folder, 'other')];
  const token = await server.invite();
  const agent = new Program(() => [...words, '--token', token, '--egress', policy]);
  t.after(() => agent.kill());
  agent.start();
  assert.equal(await latestOf(server, 'other'), 'up');

  await writeFile(policy, 'egress: { deny: [127.0.0.0/8] }\n');
  agent.signal('SIGHUP');
  await eventually(
    'SF9: SIGHUP changes what it may reach',
    async () => (await latestOf(server, 'other')) === 'unknown denied',
  );
  assert.match(agent.said, /Loaded .*policy\.yaml: what checks may reach\./);

  await writeFile(policy, 'egress: { denny: [] }\n');
  agent.signal('SIGHUP');
  await eventually('it keeps what it has', () => /Not loaded: .*denny.* stays as it was\./.test(agent.said));
  assert.equal(await latestOf(server, 'other'), 'unknown denied');
  const { code, stderr } = await runWatchkeeper([...words, '--egress', policy]);
  assert.notEqual(code, 0);
  assert.match(stderr, /policy\.yaml:1:.*denny/);
});

test('AT9: the ports of a server are no targets of agents on its machine, by any of its addresses, unless allowed', async (t) => {
  await using server = await AttackedServer.prepare();
  const [own = '127.0.0.1'] = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address),
  );
  const monitors = [...new Set(['127.0.0.1', '127.0.0.9', own])].map((host) => ({
    name: host,
    type: 'tcp',
    target: `${host}:${server.port}`,
    interval: '1s',
  }));
  await server.configure(JSON.stringify({ monitors }));
  server.program.start();
  await server.untilAnswering();
  const token = await server.invite();
  const words = ['agent', '--join', server.url, '--name', 'beside', '--data', join(server.folder, 'beside')];
  const agent = new Program(() => [...words, '--token', token]);
  t.after(() => agent.kill());
  agent.start();
  for (const name of ['local', 'beside'])
    await eventually(`${name} says of each that it is denied`, async () => {
      const { tasks } = await server.ask<{ readonly tasks: readonly TaskAnswer[] }>(`/tasks?agent=${name}`);
      return tasks.length === monitors.length && tasks.every(({ latest }) => latest?.reason === 'denied');
    });

  await server.configure(JSON.stringify({ monitors, egress: { allow: [`127.0.0.1:${server.port}`] } }));
  await server.program.stop();
  server.program.start();
  await eventually('the local agent may now', async () => {
    const { tasks } = await server.ask<{ readonly tasks: readonly TaskAnswer[] }>('/tasks?agent=local');
    return tasks.filter(({ latest }) => latest?.status === 'up').length === 1;
  });
});

test('AT9: an agent asks a proxy for names only where its administrator trusts that proxy', async () => {
  await using proxy = await httpServer((_request, response) => response.end('from behind the proxy'));
  await using server = await AttackedServer.prepare();
  const monitor = { name: 'inside', type: 'http', target: 'http://inside.example/', interval: '1s' };
  const options = { proxy: proxy.origin, contains: 'from behind' };
  const monitors = [{ ...monitor, options }];
  await server.configure(JSON.stringify({ monitors }));
  server.program.start();
  await server.untilAnswering();
  assert.equal(await latestOf(server, 'local'), 'unknown denied');
  const proxies = [`127.0.0.1:${new URL(proxy.origin).port}`];
  await server.configure(JSON.stringify({ monitors, egress: { proxies } }));
  await server.program.stop();
  server.program.start();
  await eventually('the proxy is trusted', async () => (await latestOf(server, 'local')) === 'up');
});

test('AT10: an agent runs what the administrator of its machine allows, and says so of the rest', async (t) => {
  await using open = await tcpServer();
  await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
  const monitors = [
    { name: 'allowed', type: 'tcp', target: `127.0.0.1:${open.port}`, interval: '2s' },
    { name: 'elsewhere', type: 'tcp', target: '127.0.0.2:9', interval: '2s' },
    { name: 'page', type: 'http', target: `http://127.0.0.1:${open.port}/`, interval: '2s' },
    { name: 'often', type: 'tcp', target: `127.0.0.1:${open.port}`, interval: '1s' },
  ];
  const sensors = [{ agents: ['seat'], by: 'the school', mounts: {}, usb: {} }];
  await server.configure(JSON.stringify({ monitors, sensors }));
  server.program.start();
  await server.untilAnswering();
  const rules = ['--allow-checks', 'tcp,ping', '--allow-targets', '127.0.0.1', '--min-interval', '2s'];
  const words = ['agent', '--join', server.url, '--name', 'seat', '--data', join(server.folder, 'seat')];
  const token = await server.invite();
  const agent = new Program(() => [...words, ...rules, '--allow-sensors', 'mounts', '--token', token]);
  t.after(() => agent.kill());
  agent.start();
  const states = await eventually('each has a result', async () => {
    const { tasks } = await server.ask<{ readonly tasks: readonly (TaskAnswer & { readonly monitor: string })[] }>(
      '/tasks?agent=seat',
    );
    const told = tasks.map(({ monitor, latest }) => `${monitor} ${latest?.status} ${latest?.reason ?? ''}`.trim());
    return told.length === 4 && !told.some((line) => line.includes('undefined')) && told.toSorted();
  });
  assert.deepEqual(states, ['allowed up', 'elsewhere unknown denied', 'often unknown denied', 'page unknown denied']);
  const refused = await eventually('the sensors say how they are', async () => {
    const view = await server.agent('seat');
    return view?.sensors.find(({ sensor }) => sensor === 'usb');
  });
  assert.equal(refused.state, 'unavailable');
  assert.match(refused.message, /allows the sensors mounts \(--allow-sensors\)/);
  assert.doesNotMatch(agent.said, /Collected of this machine:.*usb/);

  for (const [flag, value, message] of [
    ['--allow-checks', 'tcp,exec', /Expected check types like http,tcp, got "exec"/],
    ['--allow-sensors', 'camera', /Expected usb, mounts, traffic or none, got "camera"/],
    ['--allow-targets', 'example.org', /--allow-targets: expected a range/],
  ] as const) {
    const { code, stderr } = await runWatchkeeper([...words, flag, value]);
    assert.equal(code, 3);
    assert.match(stderr, message);
  }
});
