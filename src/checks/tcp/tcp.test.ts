import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { createServer } from 'node:tls';
import type { Outcome } from '../../core/outcome.ts';
import { testCertificates, type TestCertificate } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { lineServer, serveTls } from '../../testing/line-server.ts';
import { stand } from '../../testing/stand.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { checkContract } from '../check.contract.ts';
import { tcp } from './tcp.ts';

const host = '127.0.0.1';

checkContract(tcp, {
  async answering() {
    const server = await tcpServer((socket) => socket.write('220 ready\r\n'));
    return stand({ host, port: server.port, dialogue: [{ expect: '^220 ' }] }, () => server[Symbol.asyncDispose]());
  },
  async silent() {
    const server = await tcpServer((socket) => socket.resume());
    return stand({ host, port: server.port, dialogue: [{ expect: '^220 ' }] }, () => server[Symbol.asyncDispose]());
  },
});

function check(options: object, deadlineMs = 5000): Promise<Outcome> {
  const signal = AbortSignal.timeout(deadlineMs);
  return tcp.run(tcp.options.parse({ host, ...options }), testContext({ signal }));
}

describe('connecting', () => {
  test('an open port is up, and the latency is that of connecting', async () => {
    await using server = await tcpServer();
    const outcome = await check({ port: server.port });
    assert.equal(outcome.status, 'up');
    assert.equal(outcome.message, `Port ${server.port} on 127.0.0.1 is open.`);
    assert.equal(outcome.latencyMs, outcome.metrics['connectMs']);
    assert.equal(outcome.detail['address'], host);
  });

  test('a closed port is down and says refused', async () => {
    const outcome = await check({ port: await closedPort() });
    assert.equal(outcome.status, 'down');
    assert.equal(outcome.reason, 'refused');
    assert.match(outcome.message, /ECONNREFUSED/);
  });

  test('an address that the egress policy denies is unknown and not the fault of the target', async () => {
    const outcome = await check({ host: '169.254.169.254', port: 80 });
    assert.equal(outcome.status, 'unknown');
    assert.equal(outcome.reason, 'denied');
    assert.equal(outcome.source, 'agent');
  });
});

describe('a dialogue', () => {
  test('sends and waits step by step, and shows the banner', async () => {
    const lines: string[] = [];
    await using server = await lineServer('220 mail.example ESMTP\r\n', (line) => {
      lines.push(line);
      return line === 'NOOP' ? '250 fine\r\n' : '221 bye\r\n';
    });
    const dialogue = [
      { expect: '^220 .*$' },
      { send: 'NOOP\r\n', expect: '^250' },
      { send: 'QUIT\r\n', expect: '^221' },
    ];
    const outcome = await check({ port: server.port, dialogue });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.equal(outcome.message, `Port ${server.port} on 127.0.0.1 is open: "220 mail.example ESMTP"`);
    assert.equal(outcome.detail['banner'], '220 mail.example ESMTP');
    assert.deepEqual(lines, ['NOOP', 'QUIT']);
    const { connectMs = 0, dialogueMs = 0 } = outcome.metrics;
    assert.equal(outcome.latencyMs, connectMs + dialogueMs);
  });

  test('an answer in pieces, with text beyond ASCII, is put together', async () => {
    await using server = await tcpServer((socket) => {
      for (const [index, byte] of Buffer.from('Grüße 👋\r\n').entries())
        setTimeout(() => socket.write(Uint8Array.of(byte)), index);
    });
    const outcome = await check({ port: server.port, dialogue: [{ expect: '^Grüße .\\s' }] });
    assert.equal(outcome.status, 'up', outcome.message);
  });

  test('a step may only send', async () => {
    await using server = await lineServer('', (line) => (line === 'hello' ? 'world' : undefined));
    const outcome = await check({ port: server.port, dialogue: [{ send: 'hello\\n' }, { expect: 'world' }] });
    assert.equal(outcome.status, 'up', outcome.message);
  });

  test('an answer that means no ends the wait at once', async () => {
    await using server = await lineServer('554 go away\r\n');
    const outcome = await check({ port: server.port, dialogue: [{ expect: '^220 ', reject: '^[45]\\d\\d ' }] });
    assert.equal(outcome.status, 'down');
    assert.equal(outcome.reason, 'assertion');
    assert.equal(outcome.message, `Expected /^220 / from 127.0.0.1:${server.port}, got "554 go away".`);
    assert.equal(outcome.detail['banner'], '554 go away');
  });

  test('another answer until the deadline is an assertion that shows what came', async () => {
    await using server = await lineServer('554 go away\r\n');
    const outcome = await check({ port: server.port, dialogue: [{ expect: '^220 ' }] }, 100);
    assert.equal(outcome.reason, 'assertion');
    assert.match(outcome.message, /^Expected \/\^220 \/ from .*, got "554 go away"\. Waiting for .*/);
  });

  test('silence until the deadline is a timeout that says what was waited for', async () => {
    await using server = await tcpServer((socket) => socket.resume());
    const outcome = await check({ port: server.port, dialogue: [{ expect: '^220 ' }] }, 100);
    assert.equal(outcome.reason, 'timeout');
    assert.match(outcome.message, /^Waiting for \/\^220 \/ from 127\.0\.0\.1:\d+: /);
    assert.ok((outcome.metrics['connectMs'] ?? -1) >= 0);
    assert.ok((outcome.metrics['dialogueMs'] ?? 0) > 50);
  });

  test('a connection that closes without a word is closed', async () => {
    await using server = await tcpServer((socket) => socket.end());
    const outcome = await check({ port: server.port, dialogue: [{ expect: '^220 ' }] });
    assert.equal(outcome.reason, 'closed');
  });

  test('more than 64 KiB without a match is too large', async () => {
    await using server = await tcpServer((socket) => socket.write(Buffer.alloc(100_000, 'x')));
    const outcome = await check({ port: server.port, dialogue: [{ expect: '^220 ' }] });
    assert.equal(outcome.reason, 'too-large');
    assert.match(outcome.message, /within 65536 bytes, more came/);
  });

  test('an expression that cannot be is refused', () => {
    const table = [
      [{ expect: '(' }, /expected a regular expression \(RE2 syntax\)/],
      [{ expect: '(a{100}){9}' }, /steps, at most 500/],
    ] as const;
    for (const [step, message] of table) {
      const { error } = tcp.options.safeParse({ host, port: 1, dialogue: [step] });
      assert.match(JSON.stringify(error?.issues), message);
    }
  });
});

/** Goes on in TLS on a connection, as a server, and greets again. */
function answerInTls(socket: Socket, certificate: TestCertificate): void {
  serveTls(socket, certificate).write('secret hello\r\n');
}

describe('TLS', () => {
  test('from the start: the handshake is timed, the certificate shown, the dialogue is inside', async () => {
    const { good, ca } = await testCertificates();
    await using server = await tcpServer((socket) => answerInTls(socket, good));
    const tls = { enabled: true, ca: ca.certificate };
    const outcome = await check({ port: server.port, tls, dialogue: [{ expect: 'secret' }] });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.match(outcome.message, /is open and speaks TLS: "secret hello"$/);
    assert.ok((outcome.metrics['tlsMs'] ?? 0) > 0);
    assert.ok((outcome.metrics['certificateDaysLeft'] ?? 0) > 14);
    assert.match(JSON.stringify(outcome.detail['tls']), /"protocol":"TLSv1\.3"/);
    assert.match(JSON.stringify(outcome.detail['certificates']), /"role":"server".*"subject":"CN=localhost"/);
  });

  test('a certificate that is not trusted is down, unless it need not be verified', async () => {
    const { good } = await testCertificates();
    await using server = await tcpServer((socket) => answerInTls(socket, good));
    const untrusted = await check({ port: server.port, tls: { enabled: true } });
    assert.equal(untrusted.reason, 'tls-untrusted');
    assert.equal((await check({ port: server.port, tls: { enabled: true, verify: false } })).status, 'up');
  });

  test('another server name is what the certificate is checked for', async () => {
    const { good, ca } = await testCertificates();
    await using server = await tcpServer((socket) => answerInTls(socket, good));
    const tls = { enabled: true, ca: ca.certificate, serverName: 'other.test' };
    assert.equal((await check({ port: server.port, tls })).reason, 'tls-wrong-name');
  });

  test('a server that wants a client certificate gets it, or says that it is missing', async () => {
    const { good, ca, client } = await testCertificates();
    const wanting = { requestCert: true, rejectUnauthorized: true, ca: ca.certificate };
    const tlsServer = createServer({ ...wanting, cert: good.certificate, key: good.key }, (socket) =>
      socket.end('secret'),
    );
    await using server = await tcpServer((socket) => tlsServer.emit('connection', socket));
    const tls = { enabled: true, ca: ca.certificate };
    const options = { port: server.port, dialogue: [{ expect: 'secret' }] };
    const without = await check({ ...options, tls });
    assert.equal(without.reason, 'tls-client-certificate', without.message);
    const { certificate, key } = client;
    const withIt = await check({ ...options, tls: { ...tls, certificate, key } });
    assert.equal(withIt.status, 'up', withIt.message);
    assert.match(
      JSON.stringify(tcp.options.safeParse({ host, port: 1, tls: { certificate } }).error?.issues),
      /certificate and key together/,
    );
  });

  test('a certificate that expires soon is degraded', async () => {
    const { expiringSoon, ca } = await testCertificates();
    await using server = await tcpServer((socket) => answerInTls(socket, expiringSoon));
    const tls = { enabled: true, ca: ca.certificate };
    const soon = await check({ port: server.port, tls });
    assert.equal(soon.status, 'degraded');
    assert.match(soon.message, /at least 14 days left, got 3\.\d days left/);
    assert.equal((await check({ port: server.port, tls: { ...tls, expiryDays: 2 } })).status, 'up');
  });
});

describe('STARTTLS', () => {
  const scripts = {
    smtp: {
      greeting: '220-mail\r\n220 mail ESMTP\r\n',
      answers: { EHLO: '250-mail\r\n250 STARTTLS\r\n', STARTTLS: '220 go ahead\r\n' },
      refusal: '502 no\r\n',
    },
    imap: { greeting: '* OK ready\r\n', answers: { 'a1 STARTTLS': 'a1 OK begin\r\n' }, refusal: 'a1 BAD what\r\n' },
    pop3: { greeting: '+OK ready\r\n', answers: { STLS: '+OK begin\r\n' }, refusal: '-ERR no\r\n' },
    ftp: { greeting: '220 ftp\r\n', answers: { 'AUTH TLS': '234 begin\r\n' }, refusal: '530 no\r\n' },
  } as const;

  for (const [protocol, { greeting, answers, refusal }] of Object.entries(scripts)) {
    const replies = Object.entries(answers);
    const last = replies.at(-1)?.[1];
    const replyTo = (line: string) => replies.find(([command]) => line.startsWith(command))?.[1];

    test(`${protocol} goes on in TLS`, async () => {
      const { good, ca } = await testCertificates();
      await using server = await lineServer(greeting, (line, socket) => {
        const reply = replyTo(line);
        if (reply !== last) return reply;
        socket.write(last ?? '');
        answerInTls(socket, good);
        return undefined;
      });
      const tls = { ca: ca.certificate };
      const options = { port: server.port, starttls: protocol, tls, dialogue: [{ expect: 'secret hello' }] };
      const outcome = await check(options);
      assert.equal(outcome.status, 'up', outcome.message);
      assert.match(outcome.message, /and speaks TLS/);
      assert.ok((outcome.metrics['tlsMs'] ?? 0) > 0);
    });

    test(`${protocol} that is refused is down at once, with the answer`, async () => {
      await using server = await lineServer(greeting, (line) => (replyTo(line) === last ? refusal : replyTo(line)));
      const outcome = await check({ port: server.port, starttls: protocol });
      assert.equal(outcome.reason, 'assertion');
      assert.ok(outcome.message.includes(JSON.stringify(refusal.trim())), outcome.message);
    });
  }

  test('text that was slipped in before the handshake is a protocol failure', async () => {
    await using server = await lineServer('+OK\r\n', () => '+OK begin\r\n+OK injected\r\n');
    const outcome = await check({ port: server.port, starttls: 'pop3' });
    assert.equal(outcome.reason, 'protocol');
    assert.match(outcome.message, /silence from .* before the TLS handshake, got "\+OK injected"/);
  });
});

describe('CT2: STARTTLS with the shortest and the oddest replies', () => {
  const scripts = {
    smtp: ['220\r\n', '250\r\n', '220\r\n'],
    imap: ['* ok\r\n', '* BYE is not said to us\r\na1 ok\r\n'],
    pop3: ['+ok\r\n', '+OK\n'],
    ftp: ['220-\r\n 220 not yet\r\n220\r\n', '234\r\n'],
  } as const;
  for (const [protocol, [greeting, ...replies]] of Object.entries(scripts)) {
    test(protocol, async () => {
      const { good, ca } = await testCertificates();
      let line = 0;
      await using server = await lineServer(greeting, (_, socket) => {
        socket.write(replies[line++] ?? '');
        if (line === replies.length) answerInTls(socket, good);
        return undefined;
      });
      const outcome = await check({ port: server.port, starttls: protocol, tls: { ca: ca.certificate } });
      assert.equal(outcome.status, 'up', outcome.message);
    });
  }

  test('a server of another protocol is told at once', async () => {
    await using server = await lineServer('SSH-2.0-OpenSSH_9\r\n');
    const outcome = await check({ port: server.port, starttls: 'smtp' });
    assert.deepEqual([outcome.status, outcome.reason], ['down', 'protocol']);
    assert.match(outcome.message, /got "SSH-2\.0-OpenSSH_9"/);
  });
});

describe('CK4: a dialogue of bytes, with TLS in the middle', () => {
  test('bytes go out and are waited for as they are', async () => {
    const received: string[] = [];
    await using server = await tcpServer((socket) => {
      socket.on('data', (bytes) => {
        received.push(bytes.toString('hex'));
        socket.write(Buffer.of(0xfe, 0x00, 0xff));
      });
    });
    const dialogue = [
      { send: String.raw`\xff\n`, expectHex: 'fe 00 ff' },
      { hex: '00:01', expectHex: '00ff' },
    ];
    const outcome = await check({ port: server.port, dialogue });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.deepEqual(received, ['ff0a', '0001']);
    const missing = await check({ port: server.port, dialogue: [{ hex: '00', expectHex: 'abcd' }] }, 200);
    assert.equal(missing.reason, 'assertion');
    assert.match(missing.message, /^Expected abcd from .*, got "fe00ff"/);
  });

  test('startTls is a step, and what follows is inside', async () => {
    const { good, ca } = await testCertificates();
    await using server = await lineServer('hello\r\n', (line, socket) => {
      if (line === 'secure please') answerInTls(socket, good);
      return line === 'secure please' ? 'yes\r\n' : undefined;
    });
    const dialogue = [
      { expect: 'hello' },
      { send: 'secure please\n', expect: 'yes\\r\n' },
      { startTls: true },
      { expect: 'secret' },
    ];
    const outcome = await check({ port: server.port, tls: { ca: ca.certificate }, dialogue });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.match(outcome.message, /and speaks TLS: "hello"/);
  });

  test('TLS begins once', () => {
    const { error } = tcp.options.safeParse({ host, port: 1, tls: { enabled: true }, dialogue: [{ startTls: true }] });
    assert.match(JSON.stringify(error?.issues), /one TLS handshake at most/);
  });
});

test('slower than the limit is degraded', async () => {
  await using server = await tcpServer((socket) => void setTimeout(() => socket.write('late'), 30));
  const outcome = await check({ port: server.port, dialogue: [{ expect: 'late' }], degraded: { latency: '5ms' } });
  assert.equal(outcome.status, 'degraded');
  assert.equal(outcome.reason, 'threshold');
  assert.match(outcome.message, /took \d+\.\d+ ms \(degraded from 5ms\)\.$/);
});
