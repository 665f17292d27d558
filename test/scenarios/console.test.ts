import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { publicKeyPin } from '../../src/commands/operate/server-line.ts';
import { createCertificate } from '../../src/protocol/certificate.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { httpServer } from '../../src/testing/http-server.ts';
import { closedPort, tcpServer } from '../../src/testing/tcp-server.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { Served } from './served.ts';

const uuid = '[\\da-f]{8}-[\\da-f]{4}-7[\\da-f]{3}-[\\da-f]{4}-[\\da-f]{12}';
const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;

const tcpMonitor = (name: string, port: number): string =>
  `  - { name: ${name}, type: tcp, target: "127.0.0.1:${port}", interval: 1s }\n`;

/** Resolves once every task has a result that began after this was asked. */
async function untilNewResult(server: Served): Promise<void> {
  const askedAt = Date.now();
  await eventually('a new result of every task', async () => {
    const { body } = await server.ask('GET', '/tasks');
    const tasks = body.tasks as readonly { latest: { startedAt: string } }[];
    return tasks.every(({ latest }) => Date.parse(latest.startedAt) > askedAt);
  });
}

describe('the console', { concurrency: 3 }, () => {
  test('B1: tasks come from a file; each that is sent is shown, and each result as it arrives, with the time', async () => {
    await using open = await tcpServer();
    await using server = await Served.start(`monitors:\n${tcpMonitor('door', open.port)}`);
    await using console = new Watchkeeper(server.words('console'));
    await console.until(new RegExp(`Task ${uuid}, local: door, tcp 127\\.0\\.0\\.1:${open.port} every 1s`));
    await console.until(new RegExp(`${time} - Task ${uuid}, local: door is up, [\\d.]+ ms - `));
    const definition = { name: 'made', type: 'tcp', target: `127.0.0.1:${open.port}`, interval: '1s' };
    assert.equal((await server.ask('POST', '/monitors', definition)).status, 201);
    await console.until(
      new RegExp(
        `${time} - Sent to local: one task [^]*Task (${uuid}), local: made[^]*${time} - Task \\1, local: made is up`,
      ),
    );
  });

  test('C4: a task has one id: as it was sent, with every result, and after a restart', async () => {
    await using open = await tcpServer();
    await using server = await Served.start(`monitors:\n${tcpMonitor('door', open.port)}`);
    const idsSeen = async (): Promise<Set<string>> => {
      await using console = new Watchkeeper(server.words('console'));
      const text = await console.until(/(is up[^]*){3}/);
      const ids = [...text.matchAll(new RegExp(`Task (${uuid}), local: door`, 'g'))].map(([, id = '']) => id);
      assert.ok(ids.length >= 4, text);
      return new Set(ids);
    };
    const before = await idsSeen();
    assert.equal(before.size, 1);
    await server.stop();
    await server.startAgain();
    assert.deepEqual(await idsSeen(), before);
  });

  test('B3: list_clients tells how many, id and address; list_all_queues how many items wait at each', async () => {
    await using server = await Served.start(`monitors:\n${tcpMonitor('door', await closedPort())}`);
    await using console = new Watchkeeper(server.words('console'));
    console.type('list_clients', 'list_all_queues', 'agents', 'queues', 'exit');
    assert.equal(await console.end(), 0, console.stderr);
    const agents = console.stdout.match(
      new RegExp(`1 agent: 1 online\n.*\nOnline +\\d+ s +local +127\\.0\\.0\\.1 +${uuid}`, 'g'),
    );
    assert.equal(agents?.length, 2, console.stdout);
    const queues = console.stdout.match(new RegExp(`Agent +Id +Waiting.*\nlocal +${uuid} +\\d+ `, 'g'));
    assert.equal(queues?.length, 2, console.stdout);
  });

  test('C2: the status of every agent stands at the top, and each change of it comes by itself', async () => {
    await using server = await Served.start(`monitors:\n${tcpMonitor('door', await closedPort())}`);
    await using console = new Watchkeeper(server.words('console'));
    await console.until(/Real-time status of the agents:\nlocal \(127\.0\.0\.1\): Online\n/);
    const invitation = await runWatchkeeper(server.words('invite'));
    const [, token = '', line = ''] = /^WATCHKEEPER_TOKEN=(\S+) watchkeeper (.*)$/.exec(invitation.stdout.trim()) ?? [];
    const words = [...line.split(' '), '--name', 'second', '--data', join(server.folder, 'second')];
    await using agent = new Watchkeeper(words, { WATCHKEEPER_TOKEN: token });
    await console.until(new RegExp(`${time} - second \\(127\\.0\\.0\\.1\\): Online`));
    agent.signal('SIGKILL');
    await console.until(new RegExp(`${time} - second \\(127\\.0\\.0\\.1\\): Reconnecting \\(was Online\\)`));
    await console.until(new RegExp(`${time} - second \\(127\\.0\\.0\\.1\\): Offline \\(was Reconnecting\\)`));
    console.type('revoke second');
    await console.until(/second \(127\.0\.0\.1\): Revoked \(was Offline\)/);
  });

  test('C3: for each server its services, parameters and frequency; one that lacks a parameter is reported, and the rest go on', async () => {
    await using web = await httpServer((_request, response) => response.end('well'));
    const configuration = `
hosts:
  127.0.0.1:
    checks:
      http: { url: "${web.origin}/", interval: 1s }
      tcp: { interval: 5s }
      icmp: { interval: 2s }
`;
    await using server = await Served.start(configuration);
    assert.match(server.said, /serve\.yaml:6:\d+: .*TCP needs port, and it is missing/);
    await using console = new Watchkeeper(server.words('console'));
    const text = await console.until(/127\.0\.0\.1 http is up[^]*127\.0\.0\.1 icmp is \w+|icmp is \w+[^]*http is up/);
    assert.match(text, /----- 127\.0\.0\.1 -----\n(Task .*\n)*Task .*, local: 127\.0\.0\.1 http, http .* every 1s\n/);
    assert.match(text, /Task .*, local: 127\.0\.0\.1 icmp, icmp 127\.0\.0\.1 every 2s\n/);
    assert.doesNotMatch(text, /local: 127\.0\.0\.1 tcp/);
  });

  test('run, pause, resume and follow do what they say; a name may have any character', async () => {
    await using open = await tcpServer();
    const name = 'a/b on c? %41';
    const monitor = `  - { name: "${name}", type: tcp, target: "127.0.0.1:${open.port}", interval: 1h }\n`;
    await using server = await Served.start(`monitors:\n${monitor}`);
    await using console = new Watchkeeper(server.words('console'));
    console.type(`run ${name}`);
    await console.until(new RegExp(`Sent to run now: task ${uuid} on local`));
    await console.until(/local: a\/b on c\? %41 is up/);
    const typed = console.stdout.length;
    console.type(`run ${name} on local`, `run ${name} on nobody`, 'run', 'ran');
    await console.until(/Sent to run now: task/, typed);
    await console.until(/there is no agent "nobody"; there are: local\n/, typed);
    await console.until(/Expected a monitor: run MONITOR \[on AGENT\]\n/, typed);
    await console.until(/There is no "ran"; did you mean run\?\n/, typed);
    console.type(`pause ${name}`);
    // The answer and the news of it come by two connections, in either order.
    await console.until(/ is paused\./, typed);
    await console.until(/a\/b on c\? %41, tcp .* paused\n[^]*local works by revision \d+/, typed);
    console.type(`resume ${name}`);
    await console.until(/goes on\./, typed);
  });

  test('follow shows the results that have a text, none, or all', async () => {
    await using open = await tcpServer();
    const monitors = tcpMonitor('Door', open.port) + tcpMonitor('gate', open.port);
    await using server = await Served.start(`monitors:\n${monitors}`);
    await using console = new Watchkeeper(server.words('console'));
    await console.until(/(Door is up[^]*gate|gate is up[^]*Door) is up/);
    console.type('follow dOO', 'follow');
    await console.until(/Results with "dOO" are shown\.\n[^]*Expected changes, on, off, or a text/);
    let from = console.stdout.length;
    assert.doesNotMatch(await console.until(/(Door is up[^]*){3}/, from), /gate is/);
    console.type('follow off');
    await console.until(/Results are no longer shown; follow on shows them again\.\n/);
    from = console.stdout.length;
    await untilNewResult(server);
    console.type('follow on');
    assert.doesNotMatch(await console.until(/All results are shown\./, from), / is up/);
    await console.until(/(Door is up[^]*gate|gate is up[^]*Door) is up/, from);
  });

  test('the server goes and comes back: the console says so and goes on', async () => {
    await using open = await tcpServer();
    await using server = await Served.start(`monitors:\n${tcpMonitor('door', open.port)}`);
    await using console = new Watchkeeper(server.words('console'));
    await console.until(/door is up/);
    await server.stop();
    await console.until(new RegExp(`${time} - Not connected: .*Trying again until it works\\.`));
    console.type('agents');
    await console.until(/no server runs with its data in /);
    await server.startAgain();
    const text = await console.until(
      /Connected again after [\d.]+ s\.\n[^]*What came meanwhile is not shown here\.[^]*door is up/,
    );
    assert.equal(text.match(/Not connected/g)?.length, 1, 'said once, not once a try');
  });
});

describe('one-shot commands', { concurrency: 3 }, () => {
  test('agents, queues, tasks and monitors print a table, or an object a line', async () => {
    await using server = await Served.start(`monitors:\n${tcpMonitor('door', await closedPort())}`);
    const expected = {
      agents: ['name', 'local'],
      queues: ['agent', 'local'],
      tasks: ['monitor', 'door'],
      monitors: ['name', 'door'],
    };
    for (const [list, [key = '', value]] of Object.entries(expected)) {
      const table = await runWatchkeeper(server.words(list));
      assert.equal(table.code, 0, table.stderr);
      assert.match(table.stdout, new RegExp(`^.*\n[^]*\\b${value}\\b`));
      const { stdout } = await runWatchkeeper(server.words(list, '--json'));
      const rows = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.deepEqual(
        rows.map((row) => row[key]),
        [value],
      );
    }
  });

  test('over TCP with the token, from a file or the environment', async () => {
    await using server = await Served.start(undefined, { localAgent: false });
    const there = ['agents', '--server', server.url];
    const file = join(server.data, 'api-token');
    assert.match((await runWatchkeeper([...there, '--token-file', file])).stdout, /No agent has joined yet/);
    const env = { WATCHKEEPER_API_TOKEN: await server.token() };
    assert.equal((await runWatchkeeper(there, env)).code, 0);
    const refused = await runWatchkeeper(there, { WATCHKEEPER_API_TOKEN: 'guess' });
    assert.deepEqual([refused.code, refused.stdout], [3, '']);
    assert.match(refused.stderr, /refuses the token: expected that of its file api-token/);
  });

  test('invite prints one line for a machine to join with, and backup writes a new file', async () => {
    await using server = await Served.start(undefined, { localAgent: false });
    const { stdout } = await runWatchkeeper(server.words('invite', '--for', '10m'));
    assert.match(stdout, new RegExp(`^WATCHKEEPER_TOKEN=wk1\\.\\S+ watchkeeper agent --join ${server.url}\n$`));
    const copy = join(server.folder, 'copy');
    assert.equal((await runWatchkeeper(server.words('backup', copy))).code, 0);
    assert.equal((await stat(copy)).mode & 0o777, 0o600);
    const again = await runWatchkeeper(server.words('backup', copy));
    assert.deepEqual([again.code, existsSync(copy)], [3, true]);
    assert.match(again.stderr, /is there already/);
  });

  const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
    [['agents', '--data', '/nowhere'], /no server runs with its data in \/nowhere; start one with/],
    [['agents', '--server', 'http://192.0.2.1:7411'], /expected https for 192\.0\.2\.1:7411/],
    [['agents', '--server', 'ftp://x'], /expected the server's address like https/],
    [['agents', '--server', 'http://127.0.0.1:1', '--token-file', '/nowhere'], /the token cannot be read: ENOENT/],
    [['agents', '--server', 'http://127.0.0.1:1', '--data', '/tmp'], /expected --data or --server, got both/],
    [['console', '--data', '/nowhere'], /no server runs/],
    [['invite', '--for', '2 weeks', '--data', '/nowhere'], /Expected a duration/],
  ];
  for (const [words, expected] of mistakes) {
    test(`${words.join(' ')}: one sentence and exit code 3`, async () => {
      const { code, stdout, stderr } = await runWatchkeeper(words, { WATCHKEEPER_API_TOKEN: 'x' });
      assert.match(stderr, expected);
      assert.deepEqual([code, stdout], [3, '']);
    });
  }

  test('a server with a certificate of its own making is trusted by its pin, and no other is told the token', async () => {
    const { certificate, key } = createCertificate('watchkeeper', Date.now());
    await using server = await httpServer((_request, response) => response.end('{"agents":[]}'), {
      cert: certificate,
      key,
    });
    const words = ['agents', '--server', server.origin];
    const env = { WATCHKEEPER_API_TOKEN: 'secret' };
    const untrusted = await runWatchkeeper(words, env);
    assert.match(untrusted.stderr, /cannot be trusted \(\w+\); if the server made it itself, give the pin/);
    const other = publicKeyPin(new X509Certificate(createCertificate('watchkeeper', Date.now()).certificate));
    const wrong = await runWatchkeeper([...words, '--pin', other], env);
    assert.match(wrong.stderr, /the server's key is not the pinned one: expected sha256\/\/.*, got sha256\/\//);
    assert.deepEqual([untrusted.code, wrong.code, server.requests.length], [3, 3, 0]);
    const right = await runWatchkeeper([...words, '--pin', publicKeyPin(new X509Certificate(certificate))], env);
    assert.equal(right.code, 0, right.stderr);
    assert.equal(server.requests[0]?.headers.authorization, 'Bearer secret');
  });

  test('something else at the address is told from a server', async () => {
    await using web = await httpServer((_request, response) => response.end('<html>'));
    const { code, stderr } = await runWatchkeeper(['agents', '--server', web.origin], { WATCHKEEPER_API_TOKEN: 'x' });
    assert.match(stderr, /answers strangely: expected JSON/);
    assert.equal(code, 3);
  });

  test('names that would drive the terminal are refused, and told harmlessly', async () => {
    await using server = await Served.start(undefined, { localAgent: false });
    const monitor = { name: '\u001B]0;owned\u0007\u009B31m', type: 'tcp', target: '127.0.0.1:1' };
    assert.equal((await server.ask('POST', '/monitors', monitor)).status, 400);
    const { stderr } = await runWatchkeeper(server.words('revoke', monitor.name));
    assert.match(stderr, /there is no agent .*owned/);
    // oxlint-disable-next-line no-control-regex -- these are the characters to miss
    assert.doesNotMatch(stderr, /[\u001B\u0007\u009B]/);
  });

  test('serve says what to do next', async () => {
    await using server = await Served.start(undefined, { localAgent: false });
    assert.match(server.said, new RegExp(`serves ${server.url}; its data is in ${server.data}\\.\n`));
    assert.match(server.said, new RegExp(`watchkeeper console --data ${server.data}\n`));
    assert.match(server.said, new RegExp(`watchkeeper invite --data ${server.data} `));
    assert.match(await readFile(join(server.data, 'api-token'), 'utf8'), /^wka_/);
  });
});
