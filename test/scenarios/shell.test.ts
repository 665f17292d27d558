import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EchoResponder } from '../../src/echo/responder.ts';
import { timed } from '../../src/testing/lateness.ts';
import { closedPort, tcpServer } from '../../src/testing/tcp-server.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const shell = (): Watchkeeper => new Watchkeeper(['shell']);

/** What the shell printed in answer to these lines, typed from its start to `exit`. */
async function transcript(...lines: readonly string[]): Promise<string> {
  await using program = shell();
  program.type(...lines, 'exit');
  assert.equal(await program.end(), 0, program.stderr);
  return program.stdout;
}

describe('the shell, fed line by line', () => {
  test('A1: the prompt lists every check and command, and case does not matter', async () => {
    const text = await transcript('TCP', 'localhost', '80', '', 'VIEW', 'Restart', 'HELP');
    for (const word of [
      'http',
      'https',
      'icmp',
      'dns',
      'ntp',
      'tcp',
      'udp',
      'echo',
      'view',
      'restart',
      'start',
      'exit',
    ])
      assert.match(text.split('\n').slice(0, 2).join(' '), new RegExp(`\\b${word}\\b`));
    assert.match(text, /Added TCP localhost:80, every 10s, timeout 8s\./);
    assert.match(text, /Starting over\./);
    assert.match(text, /save FILE +keep the list/);
  });

  test('A1: a word that is none of them is answered by the nearest', async () => {
    assert.match(await transcript('vew'), /There is no "vew"; did you mean view\?/);
  });

  const questions: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['https', ['www.google.com', ''], /URL.*:[^]*Interval in seconds \[10\]: [^]*url: https:\/\/www\.google\.com/],
    ['https', ['www.google.com', ''], /Added HTTPS https:\/\/www\.google\.com, every 10s/],
    ['http', ['http://www.google.com/', '5'], /every 5s, [^]*url: http:\/\/www\.google\.com\//],
    ['icmp', ['127.0.0.1', '', ''], /\(ping, traceroute\) \[ping\]: [^]*Added ICMP 127\.0\.0\.1/],
    ['icmp', ['127.0.0.1', 'Traceroute', ''], /Added Traceroute 127\.0\.0\.1/],
    ['dns', ['8.8.8.8', 'yahoo.com', '', ''], /Server[^]*Name[^]*\(A, MX, AAAA, CNAME, …\) \[A\]: [^]*record: A\b/],
    ['dns', ['8.8.8.8', 'yahoo.com', 'manual', 'SRV', ''], /type the one that you want[^]*record: SRV/],
    ['dns', ['8.8.8.8', 'yahoo.com', 'txt', ''], /Added DNS yahoo\.com \(8\.8\.8\.8, TXT\)[^]*record: TXT/],
    ['ntp', ['pool.ntp.org', ''], /NTP server[^]*host: pool\.ntp\.org/],
    ['tcp', ['localhost', '22', ''], /Port to connect to: [^]*port: 22/],
    ['udp', ['8.8.8.8', '53', '', ''], /Timeout in seconds \[3\]: [^]*timeout 3s/],
    ['udp', ['8.8.8.8', '53', '1.5', ''], /timeout 1500ms/],
    [
      'echo',
      ['', '', '', ''],
      /\[localhost\]: [^]*\[12345\]: [^]*\[Hello!\]: [^]*host: localhost, port: 12345, message: Hello!/,
    ],
  ];
  for (const [word, answers, expected] of questions) {
    test(`A2: ${word} asks for its own parameters: ${answers.join(', ')}`, async () => {
      assert.match(await transcript(word, ...answers, 'view'), expected);
    });
  }

  test('CH14: exit leaves at a question too', async () => {
    const text = await transcript('tcp', 'exit', 'view');
    assert.doesNotMatch(text, /Port to connect to|Added|Nothing was added/);
  });

  test('CH3: a short interval makes the timeout shorter, and both are said', async () => {
    assert.match(
      await transcript('tcp', 'localhost', '80', '2', 'exit'),
      /Added TCP localhost:80, every 2s, timeout 1600ms\./,
    );
    assert.match(
      await transcript('udp', 'localhost', '80', '9', '2', 'exit'),
      /timeout 9s\.\nA run may still be under way/,
    );
  });

  test('A2: a bad answer is explained and asked again', async () => {
    const text = await transcript('tcp', 'not a host', 'localhost', 'http', '0', '80', 'soon', '0.1', '7', 'view');
    assert.match(text, /expected a host name or an IP address, got "not a host"/);
    assert.match(text, /expected a port from 1 to 65535, got "http"/);
    assert.match(text, /expected a port from 1 to 65535, got "0"/);
    assert.match(text, /expected seconds from 1 to 604800, like 10 or 1\.5 or 2m, got "soon"/);
    assert.match(text, /TCP localhost:80, every 7s/);
    assert.match(await transcript('ntp', '[::1', 'localhost', ''), /expected \[IPv6 address\]:port, got "\[::1"/);
  });

  test('A3: view lists what was added with every parameter, restart clears it, start of nothing says so', async () => {
    const text = await transcript(
      'view',
      'tcp',
      'localhost',
      '80',
      '',
      'dns',
      '',
      'a.example',
      '',
      '',
      'view',
      'restart',
      'start',
      '',
    );
    assert.match(text, /Nothing was added yet\./);
    assert.match(text, / 1\. TCP localhost:80, every 10s, timeout 8s\n +host: localhost, port: 80, .*family: auto/);
    assert.match(text, / 2\. DNS a\.example, every 10s[^]*tls\.minVersion: TLSv1\.2/);
    assert.match(text, /Starting over\.\n/);
    assert.equal(text.match(/Please include at least one service to monitor\./g)?.length, 2);
  });

  test('A4: services run side by side on their own intervals; a silent one delays no other; each result is one timestamped line', async () => {
    await using open = await tcpServer();
    await using silent = await tcpServer();
    await using program = shell();
    program.type(
      'echo',
      '127.0.0.1',
      String(silent.port),
      'x',
      '1',
      'tcp',
      '127.0.0.1',
      String(open.port),
      '1',
      'start',
    );
    const text = await program.until(new RegExp(`(TCP 127.0.0.1:${open.port} is up[^]*){4}`));
    const lines = text.split('\n').filter((line) => line.includes(' is '));
    for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - .* 127\.0\.0\.1:\d+.* is \w+/);
  });

  test('A5: the echo check shows the reply; the server stops: down on the next line; it returns: up', async () => {
    const port = await closedPort();
    await using program = shell();
    program.type('echo', '127.0.0.1', String(port), 'Hello!', '1');
    let responder = new EchoResponder({ host: '127.0.0.1', tcp: port });
    await responder.start();
    program.type('start');
    await program.until(/Echo 127\.0\.0\.1:\d+ is up, .* - .*Hello!/);
    await responder[Symbol.asyncDispose]();
    const stoppedAt = program.stdout.length;
    const next = await program.until(/Echo 127\.0\.0\.1:\d+ is (down)/, stoppedAt);
    assert.ok(next.split('\n').length <= 2, next);
    responder = new EchoResponder({ host: '127.0.0.1', tcp: port });
    await responder.start();
    await program.until(/Echo 127\.0\.0\.1:\d+ is up/, program.stdout.length);
    await responder[Symbol.asyncDispose]();
  });

  test('A6: while results scroll the person can type; exit ends within a second, whatever is in flight', async () => {
    await using silent = await tcpServer();
    await using program = shell();
    program.type('echo', '127.0.0.1', String(silent.port), 'x', '1', 'tcp', '127.0.0.1', String(silent.port), '1', '');
    await program.until(/TCP .* is up/);
    program.type('view', 'tcp', 'localhost', String(silent.port), '1');
    await program.until(/TCP localhost:\d+ is up/);
    const { value: code, lateMs } = await timed(() => {
      program.type('exit');
      return program.end();
    });
    assert.equal(code, 0);
    assert.ok(lateMs < 1000, `exit took ${lateMs} ms`);
    assert.match(program.stdout, /Monitoring has ended\.\n$/);
  });

  test('stop leads back to the prompt; remove takes one off the list', async () => {
    await using server = await tcpServer();
    const tcp = ['tcp', '127.0.0.1', String(server.port), '1'];
    await using program = shell();
    program.type(...tcp, ...tcp, 'remove 3', 'remove 1', 'start');
    await program.until(/ \(2\) is up/);
    program.type('stop');
    await program.until(/Monitoring has ended\./);
    program.type('exit');
    assert.equal(await program.end(), 0);
    assert.match(program.stdout, /Expected a number of the list that view shows, got "3"\./);
    assert.match(program.stdout, /Removed TCP 127\.0\.0\.1:\d+\.\n/);
  });

  test('save keeps the list as a configuration that load and run take; a file is replaced only on yes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-shell-'));
    const file = join(folder, 'list.yaml');
    const udp = ['udp', '8.8.8.8', '53', '1.5', '60'];
    const echo = ['echo', '', '', 'costs ${HOME}', '5'];
    try {
      const saved = await transcript(...udp, ...echo, 'view', `save ${file}`);
      const before = await readFile(file, 'utf8');
      const again = await transcript(
        'tcp',
        'localhost',
        '80',
        '',
        `save ${file}`,
        'no',
        `load ${file}`,
        'remove 1',
        'view',
      );
      assert.match(again, /exists\. Replace it\? \(yes, no\) \[no\]: [^]*Nothing was saved\./);
      assert.equal(await readFile(file, 'utf8'), before);
      assert.equal(listed(again), listed(saved));
      const { code, stdout } = await runWatchkeeper(['validate', file]);
      assert.equal(code, 0, stdout);
      const replaced = await transcript('tcp', 'localhost', '80', '', `save ${file}`, 'yes');
      assert.match(replaced, /Saved to/);
      assert.notEqual(await readFile(file, 'utf8'), before);
    } finally {
      await removeFolder(folder);
    }
  });

  test('a file that cannot be loaded or written is explained, and the shell goes on', async () => {
    const text = await transcript(
      'load /nowhere/list.yaml',
      'load',
      'tcp',
      'localhost',
      '80',
      '',
      'save /nowhere/list.yaml',
      'view',
    );
    assert.match(text, /\/nowhere\/list\.yaml cannot be read: there is no such file/);
    assert.match(text, /Expected the name of a file, like load office\.yaml\./);
    assert.match(text, /\/nowhere\/list\.yaml could not be written/);
    assert.match(text, / 1\. TCP localhost:80/);
  });

  test('a script that ends leaves what it started running, until the process is told to stop', async () => {
    await using server = await tcpServer();
    await using program = shell();
    program.type('tcp', '127.0.0.1', String(server.port), '1', 'start');
    program.endInput();
    await program.until(/( is up[^]*){2}/);
    program.signal('SIGTERM');
    assert.equal(await program.end(), 0, program.stderr);
    assert.match(program.stdout, /Monitoring has ended\.\n$/);
  });

  test('the end of the input ends the shell, in a question too', async () => {
    for (const lines of [[], ['tcp', 'localhost']]) {
      await using program = shell();
      program.type(...lines);
      program.endInput();
      assert.equal(await program.end(), 0, program.stderr);
    }
  });
});

/** What `view` listed, names and parameters. */
function listed(text: string): string {
  return text
    .split('\n')
    .filter((line) => /^ +(\d+\. |\w+: )/.test(line) && !line.endsWith(': '))
    .join('\n');
}
