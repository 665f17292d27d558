import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../core/outcome.ts';
import { testContext } from '../../testing/context.ts';
import { eventually } from '../../testing/eventually.ts';
import { lineServer } from '../../testing/line-server.ts';
import { stand, type Stand } from '../../testing/stand.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { checkContract } from '../check.contract.ts';
import { ssh } from './ssh.ts';

const host = '127.0.0.1';

checkContract(ssh, { answering: () => serverThatSays('SSH-2.0-Test_1.0\r\n'), silent: () => serverThatSays('') });

async function serverThatSays(text: string): Promise<Stand> {
  const server = await tcpServer((socket) => socket.resume().write(text, 'latin1'));
  return stand({ host, port: server.port }, () => server[Symbol.asyncDispose]());
}

async function ask(text: string, options: object = {}, deadlineMs = 5000): Promise<Outcome> {
  await using server = await serverThatSays(text);
  const parsed = ssh.options.parse({ ...server.options, ...options });
  return await ssh.run(parsed, testContext({ signal: AbortSignal.timeout(deadlineMs) }));
}

test('software, comments and version of the protocol are read (RFC 4253 section 4.2)', async () => {
  const table: readonly (readonly [text: string, protocol: string, software: string, comments: string | undefined])[] =
    [
      ['SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n', '2.0', 'OpenSSH_9.2p1', 'Debian-2+deb12u10'],
      ['SSH-2.0-dropbear\r\n', '2.0', 'dropbear', undefined],
      ['SSH-1.99-Cisco-1.25\n', '1.99', 'Cisco-1.25', undefined],
      ['Welcome\r\nto this host\r\nSSH-2.0-a b c\r\n', '2.0', 'a', 'b c'],
      ['SSH-2.1-a\r\n', '2.1', 'a', undefined],
      ['SSH-02.00-a\r\n', '02.00', 'a', undefined],
    ];
  for (const [text, protocol, software, comments] of table) {
    const outcome = await ask(text);
    assert.equal(outcome.status, 'up', outcome.message);
    const { detail } = outcome;
    assert.deepEqual([detail['protocol'], detail['software'], detail['comments']], [protocol, software, comments]);
    assert.equal(detail['oddities'], undefined, text);
  }
});

test('what comes is put together from pieces, and what follows is left alone', async () => {
  await using server = await tcpServer((socket) => {
    socket.write('SSH-2.0-');
    setImmediate(() => socket.write('Pieces\r\n\0\0\u0001'));
  });
  const outcome = await ssh.run(ssh.options.parse({ host, port: server.port }), testContext());
  assert.equal(outcome.detail['software'], 'Pieces', outcome.message);
});

test('the server is told who we are, so that its log is in order', async () => {
  const lines: string[] = [];
  await using server = await lineServer('SSH-2.0-Test\r\n', (line) => void lines.push(line));
  await ssh.run(ssh.options.parse({ host, port: server.port }), testContext());
  assert.equal(await eventually('our identification', () => lines[0]), 'SSH-2.0-Watchkeeper');
});

test('software is matched with its comments', async () => {
  const text = 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n';
  assert.equal((await ask(text, { software: '^OpenSSH_9.*Debian' })).status, 'up');
  const other = await ask(text, { software: '^dropbear' });
  assert.deepEqual([other.status, other.reason], ['down', 'assertion']);
  assert.equal(other.message, 'Expected software like /^dropbear/, got "OpenSSH_9.2p1 Debian-2".');
});

test('what breaks the standard and is understood is an oddity', async () => {
  const table: readonly (readonly [text: string, oddity: RegExp])[] = [
    ['SSH-2.0-Test\n', /ends with LF alone/],
    [`SSH-2.0-${'x'.repeat(300)}\r\n`, /has 310 bytes, more than 255/],
    [`SSH-2.0-${'x'.repeat(8183)}\r\n`, /has 8193 bytes/],
  ];
  for (const [text, oddity] of table) {
    const outcome = await ask(text);
    assert.equal(outcome.status, 'up', outcome.message);
    assert.match(JSON.stringify(outcome.detail['oddities']), oddity);
    assert.equal((await ask(text, { strict: true })).reason, 'protocol');
  }
});

test('a server that is no SSH 2 server is down, and what came is said', async () => {
  const table: readonly (readonly [text: string, reason: string, message: RegExp])[] = [
    ['SSH-1.5-old\r\n', 'protocol', /Expected SSH 2\.0, got version "1\.5"/],
    ['SSH-\r\n', 'protocol', /got version ""/],
    ['220 mail ready\r\n', 'timeout', /Waiting for the identification of .* Until then came "220 mail ready"\./],
    ['SSH-2.0-never ends', 'timeout', /Until then came "SSH-2\.0-never ends"/],
    ['x\n'.repeat(2000), 'protocol', /Expected a line that begins with "SSH-" among the first 1025, got "x x/],
    // OpenSSH 9.2: "banner line too long", "banner line contains invalid characters", "Bad remote protocol version".
    ['y'.repeat(100_000), 'protocol', /Expected a line of at most 8192 bytes, got "y/],
    [`SSH-2.0-${'x'.repeat(9000)}\r\n`, 'protocol', /at most 8192 bytes, got "SSH-2\.0-x/],
    ['SSH-2.0-a\0\r\n', 'protocol', /Expected no NUL/],
    ['hello\0\r\nSSH-2.0-a\r\n', 'protocol', /Expected no NUL/],
    ['SSH-2.0-a\rb\r\n', 'protocol', /CR before LF alone, in a line, got "SSH-2\.0-a b"/],
    ['SSH-2.0-\r\n', 'protocol', /Expected SSH-2\.0- and a software, got "SSH-2\.0-"/],
    ['SSH-2.0\r\n', 'protocol', /Expected SSH-2\.0- and a software, got "SSH-2\.0"/],
    ['SSH-2.x-a\r\n', 'protocol', /got version "2\.x"/],
  ];
  for (const [text, reason, message] of table) {
    const outcome = await ask(text, {}, 300);
    assert.deepEqual([outcome.status, outcome.reason], ['down', reason], outcome.message);
    assert.match(outcome.message, message);
  }
  const parsed = ssh.options.parse({ host, port: await closedPort() });
  assert.equal((await ssh.run(parsed, testContext())).reason, 'refused');
});

test('a terminal is not driven by what a server says', async () => {
  const outcome = await ask('SSH-2.0-a\u001b[2J \u009b\r\n');
  // oxlint-disable-next-line no-control-regex -- these are the characters to find
  assert.doesNotMatch(JSON.stringify(outcome) + outcome.message, /[\u0000-\u001f\u007f-\u009f]|\\u00/);
});
