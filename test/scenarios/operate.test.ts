import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { closedPort, tcpServer, type TestServer } from '../../src/testing/tcp-server.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { Served } from './served.ts';

const uuid = '[\\da-f]{8}(?:-[\\da-f]{4}){3}-[\\da-f]{12}';

function names(list: readonly Record<string, unknown>[], key: string): unknown[] {
  return list.map((row) => row[key]);
}

describe('an operator at a shell', () => {
  let open: TestServer;
  let server: Served;
  let agent: Watchkeeper;

  before(async () => {
    open = await tcpServer();
    const closed = await closedPort();
    server = await Served.start(
      `monitors:
  - { name: door, type: tcp, target: "127.0.0.1:${open.port}", interval: 1s }
  - { name: wall, type: tcp, target: "127.0.0.1:${closed}", interval: 1s }
  - { name: gate, type: tcp, target: "127.0.0.1:${open.port}", interval: 1h, agents: [second] }
  - { name: moat, type: tcp, target: "127.0.0.1:${open.port}", interval: 1h, agents: [nobody] }
`,
    );
    const { stdout } = await runWatchkeeper(server.words('invite'));
    const [, token = '', line = ''] = /^WATCHKEEPER_TOKEN=(\S+) watchkeeper (.*)$/.exec(stdout.trim()) ?? [];
    const words = [...line.split(' '), '--name', 'second', '--data', join(server.folder, 'second')];
    agent = new Watchkeeper(words, { WATCHKEEPER_TOKEN: token });
    await eventually('every task of door and wall has a result', async () => {
      const { body } = await server.ask('GET', '/tasks');
      const tasks = body.tasks as readonly { monitor: string; latest: object | null }[];
      return tasks.length === 5 && tasks.every(({ monitor, latest }) => monitor === 'gate' || latest !== null);
    });
  });
  after(async () => {
    await agent[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await open[Symbol.asyncDispose]();
  });

  async function told(...words: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return await runWatchkeeper(server.words(...words));
  }

  async function rows(...words: readonly string[]): Promise<readonly Record<string, unknown>[]> {
    const { code, stdout, stderr } = await told(...words, '--json');
    assert.equal(code, 0, stderr);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  test('SI7: run exits by the outcome, and shows what each agent found', async () => {
    const up = await told('run', 'door');
    assert.deepEqual([up.code, up.stderr], [0, '']);
    assert.match(up.stdout, /^local: up, [\d.]+ ms - .+$/m);
    assert.match(up.stdout, /^second: up, [\d.]+ ms - .+$/m);
    const down = await told('run', 'wall', '--agent', 'local');
    assert.equal(down.code, 2);
    assert.match(down.stdout, /^local: down.* - .+\n$/);
    const json = await told('run', 'wall', '--agent', 'second', '--json');
    const run = JSON.parse(json.stdout) as { agent: string; problem: null; result: { status: string; reason: string } };
    assert.deepEqual([json.code, run.agent, run.problem, run.result.reason], [2, 'second', null, 'refused']);
  });

  test('SI7: a run says where it does not run: no such monitor, agent or file, and monitors that run nowhere', async () => {
    const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
      [['run', 'dorr'], /^watchkeeper: there is no monitor "dorr"; did you mean "door"\?\n$/],
      [['run', 'door', '--agent', 'third'], /there is no agent "third"; there are: local, second/],
      [['run', 'gate', '--agent', 'local'], /agent "local" has a task of monitor "gate"/],
      [['run', 'moat'], /no agent has a task of monitor "moat"/],
      [['pause', 'dorr'], /there is no monitor "dorr"; did you mean "door"\?/],
      [['results', 'dorr'], /there is no monitor "dorr"/],
      [['results', 'door', '--since', 'yesterday'], /Expected a duration like 1h/],
      [['tasks', '--state', 'downn'], /Expected up, degraded, down, unknown/],
      [['tasks', '--agent', 'third'], /there is no agent "third"/],
    ];
    for (const [words, message] of mistakes) {
      const { code, stdout, stderr } = await told(...words);
      assert.deepEqual([code, stdout], [3, ''], words.join(' '));
      assert.match(stderr, message, words.join(' '));
    }
    const both = await runWatchkeeper(['run', 'door', '--agent', 'a', '--for', '1s']);
    assert.equal(both.code, 3);
    assert.match(both.stderr, /options of a server, got both/);
  });

  test('pause and resume change the schedule, and a paused monitor still runs when it is told to', async () => {
    assert.equal((await told('pause', 'door')).stdout, 'door is paused.\n');
    assert.match((await told('tasks', '--monitor', 'door')).stdout, /door +local +1s +paused/);
    assert.match((await told('monitors')).stdout, /door .* paused/);
    assert.equal((await told('run', 'door', '--agent', 'local')).code, 0);
    const [monitor] = await rows('resume', 'door');
    assert.deepEqual([monitor?.['name'], monitor?.['paused']], ['door', false]);
  });

  test('tasks and monitors are chosen by state, agent and monitor', async () => {
    await eventually('the states are known', async () => (await rows('tasks', '--state', 'up')).length >= 2);
    await eventually('both are down', async () => (await rows('tasks', '--down')).length === 2);
    assert.deepEqual(names(await rows('tasks', '--down'), 'monitor'), ['wall', 'wall']);
    assert.deepEqual(names(await rows('tasks', '--down', '--agent', 'second'), 'agent'), ['second']);
    assert.deepEqual(names(await rows('tasks', '--monitor', 'gate'), 'agent'), ['second']);
    assert.deepEqual(names(await rows('tasks', '--state', 'up,degraded', '--agent', 'local'), 'monitor'), ['door']);
    assert.deepEqual(names(await rows('monitors', '--down'), 'name'), ['wall']);
    assert.deepEqual(names(await rows('monitors', '--agent', 'local'), 'name'), ['door', 'wall']);
    const { stdout } = await told('monitors');
    assert.match(stdout, /wall .* 2 down/);
    assert.match(stdout, /moat .* runs nowhere/);
  });

  test('results come in the order of time, of all agents or one, the newest of them, as a table or JSON', async () => {
    const all = await eventually('six results of both', async () => {
      const all = await rows('results', 'door', '--since', '1h');
      const agents = new Set(all.map(({ agent }) => agent));
      return all.length >= 6 && agents.size === 2 ? all : undefined;
    });
    const times = all.map(({ scheduledAt }) => String(scheduledAt));
    assert.deepEqual(times, times.toSorted());
    const ofSecond = await rows('results', 'door', '--agent', 'second');
    assert.ok(ofSecond.every(({ agent }) => agent === 'second'));
    const [newest] = await rows('results', 'door', '--limit', '1');
    assert.ok(String(newest?.['scheduledAt']) >= (times.at(-1) ?? ''));
    const table = await told('results', 'door', '--limit', '2');
    assert.match(table.stdout, /^Time +Agent +Status +Took/);
    assert.match(table.stdout, /\nThe last 2 of \d+ since .*; --limit shows more\.\n$/);
    assert.match((await told('results', 'moat')).stdout, /moat has no results since .*; --since goes further back/);
  });

  test('the console follows changes of state alone, and shows each with why', async () => {
    await using console = new Watchkeeper(server.words('console'));
    console.type('follow changes');
    await console.until(/Changes of state are shown, and no other results/);
    const from = console.stdout.length;
    await told('pause', 'door');
    await console.until(/ - door on local: unknown \(was up\) - it is paused\n/, from);
    await told('resume', 'door');
    await console.until(/ - door on second: up \(was unknown\) - .+\n/, from);
    assert.doesNotMatch(console.stdout.slice(from), new RegExp(`Task ${uuid}, \\w+: \\w+ is `));
    console.type('follow');
    await console.until(/Expected changes, on, off, or a text/, from);
  });

  test('SI7: a monitor runs where it can: an agent that is away is named, and what it would say is unknown', async () => {
    assert.match(server.said, / Agent second \(127\.0\.0\.1\) is online \(was offline\)\.\n/);
    agent.signal('SIGKILL');
    await agent.end();
    await eventually('it is gone', async () => (await told('run', 'door', '--agent', 'second')).code === 3);
    const { code, stdout } = await told('run', 'door');
    assert.equal(code, 3);
    assert.match(stdout, /^local: up, /m);
    assert.match(stdout, /^second: did not run: the agent is not connected$/m);
    const nowhere = await told('run', 'gate');
    assert.equal(nowhere.code, 3);
    assert.match(nowhere.stderr, /"gate" runs nowhere: second: the agent is not connected/);
    await eventually('its tasks are unknown', async () => {
      const [task] = await rows('tasks', '--monitor', 'door', '--agent', 'second');
      return task?.['state'] === 'unknown';
    });
    await eventually('SI10: the log tells of the loss', () => / Lost agent second \(127/.test(server.said));
  });
});
