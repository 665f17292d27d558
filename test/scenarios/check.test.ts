import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { closedPort, tcpServer } from '../../src/testing/tcp-server.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';

const keys = 'type,target,status,latencyMs,metrics,detail,reason,source,message,startedAt,durationMs'.split(',');

describe('check', () => {
  test('a port that is open is up: a verdict, what was measured, exit 0', async () => {
    await using server = await tcpServer();
    const { code, stdout, stderr } = await runWatchkeeper(['check', 'tcp', `${server.host}:${server.port}`]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^✔ up  \\d.* ms  Port ${server.port} on 127.0.0.1 is open.\n`));
    assert.match(stdout, /^ {3}connect +\d.* ms +TCP handshake$/m);
    assert.match(stdout, /^ {3}address +127\.0\.0\.1$/m);
    assert.ok(!stdout.includes('\u001B'), 'no colours in a pipe');
  });

  test('a port that is closed is down: the reason, exit 2', async () => {
    const { code, stdout } = await runWatchkeeper(['check', 'tcp', `127.0.0.1:${await closedPort()}`]);
    assert.equal(code, 2);
    assert.match(stdout, /^✘ down .*refused.*\[refused, target\]/);
  });

  test('an answer slower than a threshold is degraded: exit 1', async (t) => {
    const server = createSocket('udp4').on('message', (_bytes, { port }) => {
      const answer = setTimeout(() => server.send('late', port, '127.0.0.1'), 30);
      t.after(() => clearTimeout(answer));
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const target = `127.0.0.1:${server.address().port}`;
    const { code, stdout } = await runWatchkeeper(['check', 'udp', target, '--degraded-latency', '5ms']);
    server.close();
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^▲ degraded/);
  });

  test('what the agent may not reach is unknown, never down: exit 3', async () => {
    const { code, stdout } = await runWatchkeeper(['check', 'tcp', '169.254.169.254:80']);
    assert.equal(code, 3);
    assert.match(stdout, /^\? unknown .*denied by default/);
  });

  test('--json gives one object a line with exactly the promised keys', async () => {
    await using server = await tcpServer();
    const words = ['check', 'tcp', `${server.host}:${server.port}`, '--json', '--count', '2', '--interval', '10ms'];
    const { stdout } = await runWatchkeeper(words);
    const results = stdout.trimEnd().split('\n');
    assert.equal(results.length, 2);
    for (const line of results) {
      const result = JSON.parse(line) as Record<string, unknown>;
      assert.deepEqual(Object.keys(result), keys);
      assert.equal(result['type'], 'tcp');
      assert.equal(result['target'], `${server.host}:${server.port}`);
      assert.equal(result['reason'], null);
      assert.equal(new Date(String(result['startedAt'])).toISOString(), result['startedAt']);
    }
  });

  test('several runs are a line each and a summary; the worst makes the exit code', async () => {
    let connections = 0;
    const server = await tcpServer(() => {
      if (++connections === 2) void server[Symbol.asyncDispose]();
    });
    const words = ['check', 'tcp', `${server.host}:${server.port}`, '--count', '3', '--interval', '200ms'];
    const { code, stdout } = await runWatchkeeper(words);
    assert.equal(code, 2, stdout);
    assert.match(stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - TCP 127\.0\.0\.1:\d+ is up, .* ms - Port/);
    assert.match(
      stdout,
      /\nTCP 127\.0\.0\.1:\d+ {2}3 results: 2 up, 1 down; latency min .* ms, avg .* ms, max .* ms\n$/,
    );
  });

  test('--count of icmp counts its echoes, as with ping', async () => {
    const words = ['check', 'ping', '127.0.0.1', '--count', '3', '--interval', '10ms'];
    const { code, stdout, stderr } = await runWatchkeeper(words);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^1 of 3: .*\n2 of 3: .*\n3 of 3: .*\n✔ up/);
    assert.match(stdout, /^ {3}sent +3 /m);
  });

  test('Ctrl-C prints the summary so far and exits with the status so far', async () => {
    await using server = await tcpServer();
    const words = ['check', 'tcp', `${server.host}:${server.port}`, '--count', '1000', '--interval', '100ms'];
    await using program = new Watchkeeper(words);
    await program.until(/is up.*\n.*is up.*\n/);
    program.signal('SIGINT');
    assert.equal(await program.end(), 0);
    assert.match(program.stdout, /\nTCP 127\.0\.0\.1:\d+ {2}\d+ results: \d+ up; latency min/);
  });

  test('CH4: a ping without end says on Ctrl-C what was answered so far: up, exit 0', async () => {
    await using program = new Watchkeeper(['check', 'icmp', '127.0.0.1', '--count', '0', '--interval', '50ms']);
    await program.until(/^4: \d.* ms from 127\.0\.0\.1/m);
    program.signal('SIGINT');
    assert.equal(await program.end(), 0, program.stdout + program.stderr);
    assert.match(program.stdout, /^✔ up .*ping: [\d.]+ ms, none of \d+ packets lost/m);
  });

  test('CH4: so does a ping of some packets', async () => {
    await using program = new Watchkeeper(['check', 'icmp', '127.0.0.1', '--count', '500', '--interval', '50ms']);
    await program.until(/^4 of 500: /m);
    program.signal('SIGINT');
    assert.equal(await program.end(), 0, program.stdout + program.stderr);
  });

  test('CH4: a ping without end ends at its timeout, as ping -w does', async () => {
    const words = ['check', 'icmp', '127.0.0.1', '--count', '0', '--interval', '10ms', '--timeout', '1s'];
    const { code, stdout } = await runWatchkeeper(words);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^✔ up .*none of \d+ packets lost/m);
  });

  test('Ctrl-C in the only run says that it was stopped: unknown, exit 3', async () => {
    const connected = Promise.withResolvers<void>();
    await using server = await tcpServer(() => connected.resolve());
    await using program = new Watchkeeper(['check', 'echo', `${server.host}:${server.port}`]);
    await Promise.race([connected.promise, program.end()]);
    program.signal('SIGINT');
    assert.equal(await program.end(), 3);
    assert.match(program.stdout, /^\? unknown .*\[cancelled, agent\]/);
  });

  test('a type is known in any case, and a hop that was shown while it was found is not said again', async () => {
    const { code, stdout, stderr } = await runWatchkeeper(['check', 'Traceroute', '127.0.0.1']);
    assert.equal(code, 0, stderr + stdout);
    assert.equal(stdout.match(/^ 1  127\.0\.0\.1 /gm)?.length, 1, stdout);
    assert.doesNotMatch(stdout, /^ +hops +hop 1/m);
  });

  test('control characters from a target are shown, never obeyed', async () => {
    const server = createSocket('udp4').on('message', (_bytes, { port }) =>
      server.send('\u001B[2J\u001B]0;owned\u0007', port, '127.0.0.1'),
    );
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const { stdout } = await runWatchkeeper(['check', 'udp', `127.0.0.1:${server.address().port}`]);
    server.close();
    // oxlint-disable-next-line no-control-regex -- the characters that must not come
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/);
  });

  test('a mistake names the option, what was expected and what came: exit 3', async () => {
    const mistakes: readonly (readonly [string, RegExp])[] = [
      ['check tcp', /expected a target: watchkeeper check tcp HOST:PORT/],
      ['check tcp localhost', /expected watchkeeper check tcp HOST:PORT, got "localhost", which has no port/],
      ['check tcp localhost:nothing', /expected HOST:PORT with a port from 1 to 65535, got "localhost:nothing"/],
      ['check tcp localhost:99999', /: port: expected a port from 1 to 65535, got 99999/],
      ['check tcp localhost --port http', /--port: expected a port from 1 to 65535, got "http"/],
      ['check tcp localhost:1 --family 5', /--family: expected one of .*auto.*, got "5"/],
      ['check tcp localhost:1 --familly 4', /unknown option '--familly'.*\n.*--family/],
      ['check tcp localhost:1 --timeout soon', /Expected a duration from 1ms to 24d, like 10s or 500ms/],
      ['check tcp localhost:1 --timeout 0', /Expected a duration from 1ms/],
      ['check tcp localhost:1 --count 0', /Expected a whole number of at least 1/],
      ['check tpc localhost:1', /unknown command 'tpc'.*\n.*tcp/],
      ['check tcp localhost:1 --dialogue [{', /--dialogue: this is not YAML/],
      ['check http example.org --headers nonsense', /--headers: expected key: value, got a text without a colon/],
      ['chek tcp localhost:1', /unknown command 'chek'.*\n.*check/],
    ];
    for (const [words, expected] of mistakes) {
      const { code, stderr, stdout } = await runWatchkeeper(words.split(' '));
      assert.equal(code, 3, words);
      assert.match(stderr, expected, words);
      assert.match(stderr, /^watchkeeper: /, words);
      assert.equal(stdout, '', words);
    }
  });

  test('CH9: a person may allow what is denied by default, and is told how', async () => {
    const denied = await runWatchkeeper(['check', 'tcp', '169.254.7.7:9']);
    assert.equal(denied.code, 3);
    assert.match(denied.stdout, /169\.254\.7\.7:9 is denied by default.*--allow 169\.254\.7\.7/s);
    const allowed = await runWatchkeeper(['check', 'tcp', '0.0.0.0:9', '--allow', '0.0.0.0/8', '-w', '2s']);
    assert.equal(allowed.code, 2, allowed.stdout);
    assert.match(allowed.stdout, /refused/);
    const wrong = await runWatchkeeper(['check', 'tcp', '127.0.0.1:9', '--allow', 'all']);
    assert.equal(wrong.code, 3);
    assert.match(wrong.stderr, /--allow: expected a range like 10\.0\.0\.0\/8.*got "all"/);
  });

  test('CH8: a typing error in a target is misuse, at once, whatever the type', async () => {
    const typed = [
      'icmp 127.0.0.1:80',
      'traceroute a,b',
      'tcp host',
      'http http:/x',
      'https 1.2.3',
      'dns example.org:53',
    ];
    typed.push('udp h:0', 'ntp h:65536', 'echo 256.1.1.1', 'tcp [::1', 'icmp http://h');
    await Promise.all(
      typed.map(async (words) => {
        const { code, stderr, stdout } = await runWatchkeeper(['check', ...words.split(' ')]);
        assert.deepEqual([code, stdout], [3, ''], words);
        assert.match(stderr, /^watchkeeper: .*expected .* got /, words);
      }),
    );
  });

  test('CH12: letters as people know them from ping', async () => {
    const words = [
      'check',
      'icmp',
      '127.0.0.1',
      '-4',
      '-c',
      '2',
      '-i',
      '0.01',
      '-W',
      '1',
      '-s',
      '100',
      '-w',
      '5',
      '--json',
    ];
    const { code, stdout } = await runWatchkeeper(words);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /"sent":2,/);
    const wrongFamily = await runWatchkeeper(['check', 'tcp', '127.0.0.1:1', '-6', '--json']);
    assert.match(wrongFamily.stdout, /"reason":"name-not-found"/);
  });

  test('CH12: options in PEM take the name of a file', async () => {
    const ca = fileURLToPath(new URL('../../package.json', import.meta.url));
    const cases = [
      [ca, /--tls-ca: expected certificates as PEM text/],
      ['/nonexistent.pem', /--tls-ca: "\/nonexistent\.pem" cannot be read: there is no such file/],
    ] as const;
    for (const [file, expected] of cases) {
      const { code, stderr } = await runWatchkeeper(['check', 'tcp', '127.0.0.1:1', '--tls-ca', file]);
      assert.equal(code, 3);
      assert.match(stderr, expected);
    }
  });

  test('CK1: values on the command line are taken as they are meant', async () => {
    const words = ['check', 'tcp', '127.0.0.1:1', '--dialogue', '[{ expect: 220 }]', '--family', '4', '--json'];
    const { code, stdout } = await runWatchkeeper(words);
    assert.equal(code, 2);
    assert.match(stdout, /"reason":"refused"/);
  });

  test('every kind of option reaches the check: repeated, by key, nested, turned off, structured', async () => {
    const server = createServer((request, response) => response.writeHead(503).end(JSON.stringify(request.headers)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A listening TCP server has an AddressInfo.
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const words = ['check', 'http', target, '--status', '200-204', '--status', '503', '--headers', 'X-Seat: 17'];
    words.push('--headers', 'x-room=b', '--contains', '"x-seat":"17"', '--contains', '"x-room":"b"');
    const http = await runWatchkeeper([...words, '--no-tls-verify', '--tls-min-version', 'TLSv1.3']);
    assert.equal(http.code, 0, http.stdout + http.stderr);
    const dialogue = '[{send: "GET / HTTP/1.0\\r\\n\\r\\n", expect: "503"}]';
    const tcp = await runWatchkeeper(['check', 'tcp', target, '--dialogue', dialogue]);
    assert.equal(tcp.code, 0, tcp.stdout + tcp.stderr);
    server.close();
  });

  test('the help of a type lists its options with meaning, choices and defaults', async () => {
    const { code, stdout } = await runWatchkeeper(['check', 'dns', '--help']);
    assert.equal(code, 0);
    assert.match(stdout, /--record <text> +Record type[^(]*(\(PTR\)[^(]*)?\(A,\s+MX,\s+AAAA,\s+CNAME, …, default: A\)/);
    assert.match(stdout, /--tls-min-version <word>/);
    assert.match(stdout, /--timeout <duration>/);
    const list = await runWatchkeeper(['check', '--help']);
    for (const type of ['http', 'icmp', 'traceroute', 'dns', 'ntp', 'tcp', 'udp', 'echo'])
      assert.match(list.stdout, new RegExp(`^  ${type}`, 'm'));
  });
});
