import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { connect, createServer } from 'node:tls';
import { createCertificate } from '../../src/protocol/certificate.ts';
import { formatJoinToken, createJoinToken } from '../../src/protocol/join-token.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { Program } from '../../src/testing/program.ts';
import { ServerProcess } from '../../src/testing/server-process.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-hardening-'));
  t.after(() => removeFolder(folder));
  return folder;
}

const oneMonitor = 'monitors: [{ name: web, type: tcp, target: "127.0.0.1:9", interval: 1s }]';

async function startServer(folder: string): Promise<ServerProcess> {
  const port = await ServerProcess.freePort();
  const server = await ServerProcess.start({ folder, configuration: oneMonitor, port, localAgent: true });
  await eventually('the local agent runs', async () => (await server.agentPid()) > 0);
  return server;
}

describe('SF16: SIGUSR1', () => {
  test('opens no debugger in the server, its threads and its agent', async (t) => {
    await using server = await startServer(join(await temporary(t), 'server'));
    for (const pid of [server.pid, await server.agentPid()]) {
      await eventually('it handles SIGHUP', async () => ((await caughtBy(pid)) & bitOf(1)) !== 0);
      assert.equal((await caughtBy(pid)) & bitOf(10), 0, 'nothing handles SIGUSR1');
      process.kill(pid, 'SIGUSR1');
    }
    process.kill(server.pid, 'SIGHUP');
    await eventually('it goes on', () => server.output.includes('serve.yaml'));
    assert.doesNotMatch(server.output, /Debugger/);
  });
});

/** proc_pid_status(5): the signals that a process handles itself, the lowest 31 of them. */
async function caughtBy(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number.parseInt(/^SigCgt:\s+[0-9a-f]{8}([0-9a-f]{8})$/m.exec(status)?.[1] ?? '', 16);
}

function bitOf(signal: number): number {
  return 1 << (signal - 1);
}

describe('SF17: the files of a server and its agent', () => {
  test('are their own also in a folder that others may read, whatever the umask was', async (t) => {
    const folder = join(await temporary(t), 'server');
    await mkdir(folder);
    await chmod(folder, 0o755);
    const before = process.umask(0);
    t.after(() => process.umask(before));
    await using server = await startServer(folder);
    process.umask(before);
    await eventually('the agent writes what it does', () => readFile(join(folder, 'local-agent', 'notice.json')));
    assert.ok(await server.answers());
    const open: string[] = [];
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      if ((mode & 0o077) !== 0) open.push(entry.name);
    }
    // What the watched person may read, and the way there.
    assert.deepEqual(open.toSorted(), ['local-agent', 'notice.json']);
  });
});

describe('SF18: between agents and servers TLS is 1.3 alone', () => {
  test('an agent that dials refuses a server of 1.2', async (t) => {
    const { certificate: cert, key } = createCertificate('old', Date.now());
    const old = createServer({ cert, key, maxVersion: 'TLSv1.2' }).listen(0, '127.0.0.1');
    await once(old, 'listening');
    t.after(() => old.close());
    const ended = once(old, 'tlsClientError') as Promise<[Error]>;
    // A TLS server that listens has an address.
    const { port } = old.address() as AddressInfo;
    const token = formatJoinToken(createJoinToken('A'.repeat(43)));
    const data = join(await temporary(t), 'agent');
    const words = ['agent', '--join', `https://127.0.0.1:${port}`, '--token', token, '--data', data];
    await using agent = new Program(() => words);
    agent.start();
    const [error] = await ended;
    assert.match(error.message, /unsupported protocol/);
    await eventually('the agent says so', () => /Not connected to .*protocol version/i.test(agent.said));
  });

  test('an agent that is called refuses a server of 1.2', async (t) => {
    const port = await closedPort();
    const data = join(await temporary(t), 'agent');
    await using agent = new Program(() => ['agent', '--listen', `0.0.0.0:${port}`, '--data', data]);
    agent.start();
    await eventually('it listens', () => agent.said.includes('Listens on'));
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    const [error] = (await once(socket, 'error')) as [Error];
    assert.match(error.message, /protocol version/);
  });
});

interface Given {
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** What an agent that is given its token so says until it has started or ended. */
async function saidBy(t: TestContext, given: Given): Promise<string> {
  const data = join(await temporary(t), 'agent');
  const words = ['agent', '--join', 'http://127.0.0.1:9', '--data', data, ...(given.words ?? [])];
  await using agent = new Watchkeeper(words, given.env);
  if (given.input !== undefined) agent.type(given.input);
  agent.endInput();
  await eventually('it starts', () => / its data is in|watchkeeper: /.test(agent.stderr));
  return agent.stderr;
}

describe('AT14: the join token of an agent', () => {
  const token = formatJoinToken(createJoinToken('A'.repeat(43)));

  test('is read from the environment, a file or standard input', async (t) => {
    const file = join(await temporary(t), 'token');
    await writeFile(file, `${token}\n`);
    for (const given of [
      { env: { WATCHKEEPER_TOKEN: token } },
      { words: ['--token-file', file] },
      { words: ['--token-file', '-'], input: token },
    ]) {
      const said = await saidBy(t, given);
      assert.match(said, /its data is in/);
      assert.doesNotMatch(said, /command line/);
    }
  });

  test('on the command line is taken, and warned of', async (t) => {
    const said = await saidBy(t, { words: ['--token', token] });
    assert.match(said, /Every user of this machine could read the token on the command line: .*--token-file/);
    assert.match(said, /its data is in/);
    assert.ok(!said.includes(token));
  });

  test('that cannot be read, or is none, is said', async (t) => {
    assert.match(await saidBy(t, { words: ['--token-file', '/nowhere'] }), /cannot be read from "\/nowhere": ENOENT/);
    assert.match(await saidBy(t, { words: ['--token-file', '-'], input: 'x'.repeat(5000) }), /expected one join token/);
    assert.match(
      await saidBy(t, { words: ['--token-file', '-'], input: '' }),
      /expected a join token|joined no server/,
    );
    assert.match(await saidBy(t, { words: ['--token', token, '--token-file', '-'], input: '' }), /got both/);
  });
});

describe('AT8: a server beyond this machine', () => {
  const token = formatJoinToken(createJoinToken('A'.repeat(43)));

  for (const url of [
    'http://192.0.2.1:7411',
    'http://server.example:7411',
    'http://[2001:db8::1]:7411',
    'http://127.0.0.1.example:7411',
  ])
    test(`is not reached by ${url}, unless that is accepted`, async (t) => {
      const words = ['agent', '--join', url, '--data', join(await temporary(t), 'agent')];
      const { code, stderr } = await runWatchkeeper(words, { WATCHKEEPER_TOKEN: token });
      assert.equal(code, 3);
      assert.match(
        stderr,
        /expected https for .*: without TLS anybody on the way can read and change .*--insecure accepts that/,
      );
      // The address that was refused is not remembered as accepted.
      const again = await runWatchkeeper(['agent', ...words.slice(3)]);
      assert.equal(again.code, 3);
      await using agent = new Watchkeeper([...words, '--insecure'], { WATCHKEEPER_TOKEN: token });
      await eventually('it is said at each start', () =>
        /is reached at http:.*, as --insecure allows/.test(agent.stderr),
      );
    });

  for (const url of [
    'http://127.0.0.1:9',
    'http://127.9.9.9:9',
    'http://[::1]:9',
    'http://localhost:9',
    'http://2130706433:9',
  ])
    test(`is not ${url}: no packet leaves this machine`, async (t) => {
      const words = ['agent', '--join', url, '--data', join(await temporary(t), 'agent')];
      await using agent = new Watchkeeper(words, { WATCHKEEPER_TOKEN: token });
      await eventually('it starts', () => / its data is in/.test(agent.stderr));
      assert.doesNotMatch(agent.stderr, /without TLS/);
    });
});
