import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from '../../src/testing/eventually.ts';
import { httpServer } from '../../src/testing/http-server.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { Served } from './served.ts';

const run = promisify(execFile);
const key = 'backup-4dZxVqQpT0cYw2';
const configuration = `
monitors:
  - { name: backup, type: heartbeat, options: { key: ${key}, period: 1h, grace: 1m } }
  - { name: report, type: heartbeat, options: { key: report-4dZxVqQpT0cYw2, cron: '0 3 * * *', zone: Europe/Berlin } }
`;

interface TaskAnswer {
  readonly monitor: string;
  readonly agent: string;
  readonly state: string;
  readonly latest: {
    readonly message: string;
    readonly reason: string | null;
    readonly detail: Record<string, unknown>;
  } | null;
}

async function taskOf(server: Served, name: string): Promise<TaskAnswer> {
  const { body } = await server.ask('GET', '/tasks');
  const task = (body['tasks'] as readonly TaskAnswer[]).find(({ monitor }) => monitor === name);
  assert.ok(task);
  return task;
}

describe('a job tells the server how it goes', () => {
  test('by curl, as in a line of cron; its failure, exit code and log are there at once, and after a restart', async () => {
    await using server = await Served.start(configuration);
    const curl = async (path: string, ...words: readonly string[]): Promise<string> =>
      (await run('curl', ['-sS', '-w', '%{http_code}', ...words, `${server.url}/hb/${path}`])).stdout;
    await eventually('it waits', async () => (await taskOf(server, 'backup')).latest !== null);
    const waiting = await taskOf(server, 'backup');
    assert.equal(waiting.state, 'unknown');
    assert.equal(waiting.agent, 'server');
    assert.match(waiting.latest?.message ?? '', /^Nothing has come yet; expected by 20\d\d-/);

    assert.equal(await curl(`${key}/start`), 'OK\n200');
    assert.match((await taskOf(server, 'backup')).latest?.message ?? '', /^Running since /);
    assert.equal(await curl(key), 'OK\n200');
    assert.equal((await taskOf(server, 'backup')).state, 'up');
    assert.equal(await curl(`${key}/3`, '--data-binary', `writing\ndisk full, key ${key}\u001b[31m\n`), 'OK\n200');
    const failed = await taskOf(server, 'backup');
    assert.equal(failed.state, 'down');
    assert.match(
      failed.latest?.message ?? '',
      /^Failed at .* UTC with exit code 3: "disk full, key \*\*\*\\u001b\[31m"\.$/,
    );
    assert.equal(failed.latest?.detail['exitCode'], 3);

    for (const [path, words, expected] of [
      ['no-such-key-at-all-here', [], '404'],
      [`${key}x`, [], '404'],
      [`${key}/stop`, [], '404'],
      [`${key}/`, [], '404'],
      [`${key}/3/4`, [], '404'],
      [key, ['-X', 'DELETE'], '405'],
      [key, ['-I'], '200'],
    ] as const)
      assert.ok((await curl(path, ...words)).endsWith(expected), `${path} ${words.join(' ')}`);
    assert.equal((await taskOf(server, 'backup')).state, 'up', 'HEAD counts as well');

    assert.equal(await curl(`${key}/fail`, '-d', 'again'), 'OK\n200');
    await server.stop();
    await server.startAgain();
    await eventually('the state is known again', async () => (await taskOf(server, 'backup')).state === 'down');
    const after = await taskOf(server, 'backup');
    assert.match(after.latest?.message ?? '', /^Failed at .* UTC: "again"\.$/);
    assert.equal(after.latest?.detail['tail'], 'again');
    for (const text of [
      server.said,
      JSON.stringify((await server.ask('GET', '/monitors')).body),
      JSON.stringify(after),
    ])
      assert.ok(!text.includes(key), 'the key is shown nowhere');
    assert.equal((await taskOf(server, 'report')).state, 'unknown');

    const script = 'echo begun; echo "no space" >&2; exit 5';
    const ended = await runWatchkeeper(['heartbeat', `${server.url}/hb/${key}`, '--', 'sh', '-c', script]);
    assert.deepEqual([ended.code, ended.stdout, ended.stderr], [5, 'begun\n', 'no space\n']);
    const told = await taskOf(server, 'backup');
    assert.match(told.latest?.message ?? '', /^Failed at .* UTC with exit code 5: "(?:no space|begun)"\.$/);
    assert.equal(typeof told.latest?.detail['durationMs'], 'number');
    const good = await runWatchkeeper(['heartbeat', `${server.url}/hb/${key}`, '--', 'true']);
    assert.equal(good.code, 0);
    assert.equal((await taskOf(server, 'backup')).state, 'up');
  });
});

describe('watchkeeper heartbeat', () => {
  test('runs its command also where no server is to be told, and returns its exit code', async () => {
    const missing = await runWatchkeeper(['heartbeat', 'http://127.0.0.1/no-heartbeat', '--', 'true']);
    assert.equal(missing.code, 3);
    assert.match(missing.stderr, /expected the URL of a heartbeat/);
    await using server = await httpServer((_request, response) => response.writeHead(404).end());
    const unknown = await runWatchkeeper(['heartbeat', `${server.origin}/hb/${key}`, '--', 'no-such-command-here']);
    assert.equal(unknown.code, 127);
    assert.match(unknown.stderr, /was not told of the end: it has no heartbeat with this key/);
  });
});
