import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { Program } from '../../src/testing/program.ts';
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
  await using server = await AttackedServer.prepare();
  const monitor = { name: 'door', type: 'tcp', target: `127.0.0.1:${server.port}`, interval: '1s' };
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
