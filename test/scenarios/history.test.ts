import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { tcpServer } from '../../src/testing/tcp-server.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { Served } from './served.ts';

const range = 'from=2026-01-01T00:00:00Z&to=2100-01-01T00:00:00Z';

test('SF13: what was measured is found under its new name, and when its monitor is gone', async () => {
  await using open = await tcpServer();
  const target = `127.0.0.1:${open.port}`;
  const monitor = { type: 'tcp', target, interval: '1s' };
  const fileOf = (more: object): string => JSON.stringify({ monitors: [{ ...monitor, ...more }] });
  await using server = await Served.start(fileOf({ name: 'door' }));
  await server.ask('POST', '/monitors', { ...monitor, name: 'made' });
  await server.ask('POST', '/monitors', { ...monitor, name: 'asleep', paused: true });
  const tasks = async (): Promise<readonly { id: string; monitor: string; latest: object | null }[]> =>
    (await server.ask('GET', '/tasks')).body.tasks;
  const measured = await eventually('both have results', async () => {
    const found = (await tasks()).filter(({ latest }) => latest !== null);
    return found.length === 2 && found;
  });
  const taskOf = (name: string): string => measured.find((task) => task.monitor === name)?.id ?? '';
  const results = async (task: string) => await server.ask('GET', `/tasks/${task}/results?${range}`);

  const asleep = (await tasks()).find((task) => task.monitor === 'asleep')?.id ?? '';
  assert.deepEqual(await results(asleep), {
    status: 200,
    body: { results: [], absences: [], more: false, next: null },
  });
  for (const what of ['results', 'summaries']) {
    const unknown = await server.ask('GET', `/tasks/${crypto.randomUUID()}/${what}?${range}`);
    assert.equal(unknown.status, 404, what);
  }

  await server.ask('PUT', '/monitors/made', { ...monitor, name: 'made anew' });
  await server.ask('DELETE', '/monitors/made%20anew');
  await server.stop();
  await writeFile(join(server.folder, 'serve.yaml'), fileOf({ id: 'door', name: 'front door' }));
  await server.startAgain();
  const { body } = await server.ask('GET', '/history');
  const told = new Map(
    (body.tasks as readonly Record<string, unknown>[]).map(({ id, monitor, agent, isGone }) => [
      id,
      [monitor, agent, isGone],
    ]),
  );
  assert.equal(told.size, 2);
  assert.deepEqual(told.get(taskOf('door')), ['front door', 'local', false]);
  assert.deepEqual(told.get(taskOf('made')), ['made anew', 'local', true]);
  const before = await results(taskOf('made'));
  assert.equal(before.status, 200);
  assert.ok(before.body.results.length > 0);
  const renamed = (await tasks()).find((task) => task.monitor === 'front door');
  assert.equal(renamed?.id, taskOf('door'), 'its task is the same');

  const found = await server.ask('GET', `/history?monitor=made%20anew&agent=local`);
  assert.deepEqual(
    found.body.tasks.map(({ id }: { id: string }) => id),
    [taskOf('made')],
  );
  const { stdout } = await runWatchkeeper(server.words('history'));
  assert.match(stdout, /made anew +local +gone/);
  assert.match(stdout, /front door +local/);
});
