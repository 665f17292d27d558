import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { timed } from '../../src/testing/lateness.ts';
import { closedPort, tcpServer } from '../../src/testing/tcp-server.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const executable = fileURLToPath(new URL('../../bin/watchkeeper', import.meta.url));

/** A configuration in a file of its own. */
async function configFile(text: string, name = 'office.yaml') {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-run-'));
  const path = join(folder, name);
  await writeFile(path, text);
  return { path, [Symbol.asyncDispose]: () => removeFolder(folder) };
}

describe('run', { concurrency: 4 }, () => {
  test('D1: a dictionary of hosts in a file, each with its services and its interval', async () => {
    await using config = await configFile(
      '{"127.0.0.1": {"services": ["ICMP", "DNS"], "interval": 1}, "localhost": {"services": ["ICMP"], "interval": 2}}',
      'hosts.json',
    );
    const { code, stdout } = await runWatchkeeper(['run', config.path, '--for', '5s']);
    assert.equal(code, 0);
    const count = (pattern: RegExp): number => stdout.match(pattern)?.length ?? 0;
    assert.ok(count(/ - 127\.0\.0\.1 icmp is /g) >= 4, stdout);
    assert.ok(count(/ - 127\.0\.0\.1 dns is /g) >= 2, stdout);
    assert.ok(count(/ - localhost icmp is /g) >= 2, stdout);
    assert.ok(count(/ - localhost icmp is /g) < count(/ - 127\.0\.0\.1 icmp is /g), stdout);
  });

  test('D3: a slow check delays no other, and every line has its time', async () => {
    // One server accepts and says nothing, so that its check waits for its deadline.
    await using silent = await tcpServer();
    await using open = await tcpServer();
    await using config = await configFile(`
monitors:
  - { name: slow, type: echo, target: '127.0.0.1:${silent.port}', interval: 4s, timeout: 2s }
  - { name: quick, type: tcp, target: '127.0.0.1:${open.port}', interval: 1s }
`);
    const { stdout } = await runWatchkeeper(['run', config.path, '--for', '6s']);
    const [results = ''] = stdout.split(/^quick +\d/m);
    const lines = results.trimEnd().split('\n');
    assert.ok(
      lines.every((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - (?:slow|quick) is /.test(line)),
      stdout,
    );
    assert.ok(lines.filter((line) => line.includes(' - quick is up')).length >= 5, stdout);
    assert.ok(
      lines.some((line) => line.includes(' - slow is down')),
      stdout,
    );
  });

  test('--json prints one object a line with the name of the monitor, and nothing else', async () => {
    await using server = await tcpServer();
    await using config = await configFile(`monitors: [{ name: one, type: tcp, target: '127.0.0.1:${server.port}' }]`);
    const { stdout } = await runWatchkeeper(['run', config.path, '--for', '4s', '--json']);
    const results = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.ok(results.length > 0);
    for (const result of results) {
      assert.deepEqual(
        Object.keys(result).join(' '),
        'monitor type target status latencyMs metrics detail reason source message startedAt durationMs',
      );
      assert.equal(result['monitor'], 'one');
      // On a busy machine this program itself may be late.
      assert.ok(result['status'] === 'up' || result['reason'] === 'lag', JSON.stringify(result));
    }
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} ends it within a second, with a summary for each monitor`, async () => {
      await using server = await tcpServer();
      await using silent = await tcpServer();
      await using config = await configFile(`
monitors:
  - { name: open port, type: tcp, target: '127.0.0.1:${server.port}', interval: 1s }
  - { name: silent, type: echo, target: '127.0.0.1:${silent.port}', interval: 1s, timeout: 60s }
`);
      await using program = new Watchkeeper(['run', config.path]);
      await program.until(/open port is up.*\n[^]*open port is up/);
      const { value: code, lateMs } = await timed(() => {
        program.signal(signal);
        return program.end();
      });
      assert.equal(code, 0, program.stderr);
      assert.ok(lateMs < 1000, `ended after ${lateMs.toFixed(0)} ms`);
      assert.match(program.stdout, /^open port +\d+ results: \d+ up.*; latency min .* ms, avg .* ms, max .* ms$/m);
    });
  }

  test('SIGHUP reads the file again; if nothing in it can run, what ran before goes on', async () => {
    await using server = await tcpServer();
    const monitor = (name: string): string =>
      `  - { name: ${name}, type: tcp, target: '127.0.0.1:${server.port}', interval: 1s }\n`;
    await using config = await configFile(`monitors:\n${monitor('first')}${monitor('kept')}`);
    await using program = new Watchkeeper(['run', config.path]);
    await program.until(/first is up[^]*kept is up|kept is up[^]*first is up/);

    await writeFile(config.path, `monitors:\n${monitor('kept')}${monitor('second')}`);
    program.signal('SIGHUP');
    await program.until(/second is up/);
    const afterReload = program.stdout.length;
    await program.until(/kept is up/, afterReload);
    assert.doesNotMatch(program.stdout.slice(afterReload), /first is/);

    await writeFile(config.path, 'monitors: [');
    program.signal('SIGHUP');
    const afterMistake = program.stdout.length;
    await program.until(/second is up[^]*second is up/, afterMistake);
    assert.match(program.stderr, /office\.yaml:\d+:\d+: this is not YAML/);
    assert.match(program.stderr, /What ran before goes on\./);
  });

  test('SF9: a SIGHUP while it reads its configuration is remembered, and a pipe is not read again', async () => {
    await using server = await tcpServer();
    await using config = await configFile('');
    await rm(config.path);
    execFileSync('mkfifo', [config.path]);
    await using program = new Watchkeeper(['run', config.path]);
    // Opening the pipe waits for the reader: from then on the program reads its configuration.
    const writer = await open(config.path, 'w');
    program.signal('SIGHUP');
    await writer.writeFile(`monitors: [{ name: piped, type: tcp, target: '127.0.0.1:${server.port}', interval: 1s }]`);
    await writer.close();
    await program.until(/piped is up[^]*piped is up/);
    assert.match(
      program.stderr,
      /is a pipe, which can be read only once; name a file instead.* What ran before goes on\./,
    );
  });

  test('C3: a service that lacks a parameter is reported, and the rest go on', async () => {
    await using config = await configFile('hosts: { 127.0.0.1: { services: [TCP, ICMP], interval: 1 } }');
    const { code, stdout, stderr } = await runWatchkeeper(['run', config.path, '--for', '3s']);
    assert.equal(code, 0);
    assert.match(
      stderr,
      /office\.yaml:1:\d+: hosts\["127\.0\.0\.1"\]\.services\[0\]: TCP needs port, and it is missing/,
    );
    assert.match(stdout, /127\.0\.0\.1 icmp is up/);
  });

  test('--log-format json: what is said beside the results is JSON too', async () => {
    await using config = await configFile(
      '{"monitors": [{"name": "a", "type": "tcp"}, {"name": "b", "type": "tcp", "target": "127.0.0.1:9"}]}',
    );
    const { code, stderr } = await runWatchkeeper(['run', config.path, '--for', '1s', '--log-format', 'json']);
    assert.equal(code, 0);
    const said = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(Object.keys(said[0] ?? {}), ['time', 'level', 'event', 'message', 'fields']);
    assert.match(String(said[0]?.['message']), /target.* is missing|TCP needs/);
  });

  test('a file with nothing that can run is refused: exit 3', async () => {
    await using config = await configFile('monitors: [{ type: gopher }]');
    const { code, stderr } = await runWatchkeeper(['run', config.path]);
    assert.equal(code, 3);
    assert.match(stderr, /expected a check type, got "gopher"/);
    assert.match(stderr, /nothing in it can run/);
  });

  test('a time that no timer can hold is refused: exit 3', async () => {
    const { code, stderr } = await runWatchkeeper(['run', 'office.yaml', '--for', '60d']);
    assert.equal(code, 3);
    assert.match(stderr, /--for.*'60d' is invalid/);
  });

  test('a monitor that is paused does not run', async () => {
    await using config = await configFile(`
monitors:
  - { name: going, type: icmp, target: 127.0.0.1, interval: 1s }
  - { name: resting, type: icmp, target: 127.0.0.1, interval: 1s, paused: true }
`);
    const { stdout } = await runWatchkeeper(['run', config.path, '--for', '3s']);
    assert.match(stdout, /going is up/);
    assert.doesNotMatch(stdout, /resting/);
  });

  test('the egress policy of the file holds', async () => {
    await using config = await configFile(`
monitors: [{ name: denied, type: tcp, target: '127.0.0.1:${await closedPort()}', interval: 1s }]
egress: { deny: [127.0.0.0/8] }
`);
    const { stdout } = await runWatchkeeper(['run', config.path, '--for', '3s']);
    assert.match(stdout, /denied is unknown .*egress policy/);
  });

  test('ends quietly when its reader goes', async () => {
    await using config = await configFile('hosts: { 127.0.0.1: { services: [ICMP], interval: 1 } }');
    const script = `"${executable}" run "${config.path}" | head -n 1`;
    const child = spawn('bash', ['-c', `set -o pipefail; ${script}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdout.resume();
    await once(child, 'close');
    assert.equal(stderr, '');
  });

  test('ends within its time although nobody reads what it prints', async () => {
    await using open = await tcpServer();
    const monitors = Array.from(
      { length: 500 },
      (_, index) => `  - { name: number ${index}, type: tcp, target: '127.0.0.1:${open.port}', interval: 1s }\n`,
    );
    await using config = await configFile(`monitors:\n${monitors.join('')}`);
    const child = spawn(executable, ['run', config.path, '--json', '--for', '4s'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [code] = (await once(child, 'exit', { signal: AbortSignal.timeout(15_000) })) as [number];
    assert.equal(code, 0);
    const [unread = ''] = await child.stdout.setEncoding('utf8').take(1).toArray();
    assert.match(unread as string, /"status":"up"/);
    child.stdout.destroy();
  });
});

describe('validate', () => {
  test('says that a right file is right: exit 0', async () => {
    await using config = await configFile('hosts: { example.org: { services: [HTTP, ICMP] } }');
    const { code, stdout } = await runWatchkeeper(['validate', config.path]);
    assert.equal(code, 0);
    assert.match(stdout, /office\.yaml: 2 monitors, no mistakes/);
  });

  test('counts the entries of sensors of a server file', async () => {
    await using config = await configFile('sensors: [{ by: Physics, usb: {} }]');
    const { code, stdout } = await runWatchkeeper(['validate', config.path]);
    assert.equal(code, 0);
    assert.match(stdout, /: 0 monitors, 1 entry of sensors, no mistakes/);
  });

  test('says every mistake with file, line, column, what was expected and what came: exit 3', async () => {
    await using config = await configFile(
      'monitors:\n  - type: htpp\n    target: a\n  - type: icmp\n    target: b\n    interval: soon\n',
    );
    const { code, stdout } = await runWatchkeeper(['validate', config.path]);
    assert.equal(code, 3);
    assert.equal(
      stdout,
      `${config.path}:2:11: monitors[0].type: expected a check type, got "htpp"; did you mean http?
${config.path}:6:15: monitors[1].interval: expected a duration from 1s to 7d, like 10s or 500ms, got "soon"
${config.path}: 2 mistakes
`,
    );
  });

  test('a file that is not there, is a directory, or is no text is said to be so: exit 3', async () => {
    for (const [path, why] of [
      ['/nowhere/office.yaml', 'there is no such file'],
      [import.meta.dirname, 'expected files that end in .yaml, .yml or .json'],
      [process.execPath, 'expected at most 16 MiB'],
      ['/bin/true', 'this is not text in UTF-8'],
    ] as const) {
      const { code, stderr } = await runWatchkeeper(['validate', path]);
      assert.equal(code, 3);
      assert.ok(stderr.includes(why), stderr);
    }
  });
});
