import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock } from '../../core/clock.ts';
import { systemClock } from '../../core/clock.ts';
import type { Message, MessageReceipt } from '../../core/message.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { testCertificates } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { eventually } from '../../testing/eventually.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { mailServer, type MailScript } from '../../testing/mail-server.ts';
import { mailSink } from '../../testing/mail-sink.ts';
import { problem, recovery } from '../../testing/messages.ts';
import { tcpServer } from '../../testing/tcp-server.ts';
import { hostileTexts } from '../notifier.contract.ts';
import { sendMessage } from '../send.ts';
import { email } from './email.ts';

const { ca, expired } = await testCertificates();

const script: MailScript = {
  greeting: '220 mail.example ESMTP\r\n',
  startTls: 'STARTTLS',
  replies: {
    EHLO: '250-mail.example\r\n250 STARTTLS\r\n',
    STARTTLS: '220 go ahead\r\n',
    MAIL: '250 ok\r\n',
    RCPT: '250 ok\r\n',
    DATA: '354 go on\r\n',
    '.': '250 queued as 1\r\n',
    QUIT: '221 bye\r\n',
  },
  repliesInTls: { EHLO: '250-mail.example\r\n250 AUTH PLAIN\r\n', AUTH: '235 welcome\r\n' },
  // Lines of the mail itself are answered with nothing.
  other: '',
};

interface Sent {
  readonly message?: Message;
  readonly previous?: MessageReceipt;
  readonly options?: JsonObject;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

async function send(
  port: number,
  { message = problem(), previous, options = {}, clock = systemClock, signal }: Sent = {},
) {
  const given = {
    host: 'localhost',
    port,
    from: 'wk@example.org',
    to: ['ops@example.org'],
    ca: ca.certificate,
    ...options,
  };
  const channel = { type: email, options: email.options.parse(given), secrets: [], zone: 'UTC' };
  const { net } = testContext();
  return await sendMessage(
    channel,
    { message, previous, signal: signal ?? AbortSignal.timeout(30_000) },
    { net, clock },
  );
}

/** The only mail of a message, as it came. */
async function told(sent: Sent = {}): Promise<string> {
  await using sink = await mailSink();
  const result = await send(sink.port, { ...sent, options: { host: '127.0.0.1', security: 'none', ...sent.options } });
  assert.equal(result.outcome, 'delivered', JSON.stringify(result));
  const [{ recipients, text } = assert.fail(), ...others] = sink.mails;
  assert.deepEqual([others, recipients], [[], ['ops@example.org']]);
  return text;
}

const unfolded = (text: string): string => text.replaceAll(/\n[ \t]+/g, ' ');

describe('e-mail', () => {
  test('has the headers of an automatic message', async () => {
    const mail = unfolded(await told());
    const { id, thread } = problem();
    for (const header of [
      `Message-ID: <${id}@example.org>`,
      `References: <${thread}@example.org>`,
      'Auto-Submitted: auto-generated',
      'X-Auto-Response-Suppress: All',
      'List-ID: Watchkeeper <watchkeeper.example.org>',
      'X-Watchkeeper-State: down',
      'Subject: api.example.net: incident since 2026-11-28 02:13 UTC',
    ])
      assert.ok(mail.includes(header), `${header} in ${mail.slice(0, 2000)}`);
    assert.match(mail, /multipart\/alternative/);
  });

  test('goes encrypted, and a password never without', async () => {
    const login = { user: 'wk', password: 'canary-password' };
    await using server = await mailServer(script);
    assert.equal((await send(server.port, { options: login })).outcome, 'delivered');
    assert.ok(server.lines.includes('TLS MAIL FROM:<wk@example.org>'), server.lines.join('\n'));
    assert.ok(server.lines.some((line) => line.startsWith('TLS AUTH PLAIN ')));
    const EHLO = '250 mail.example\r\n';
    await using bare = await mailServer({ ...script, replies: { ...script.replies, EHLO, STARTTLS: '502 no\r\n' } });
    const result = await send(bare.port, { options: login });
    assert.notEqual(result.outcome, 'delivered');
    assert.ok(!bare.lines.some((line) => /AUTH|MAIL/.test(line)), bare.lines.join('\n'));
  });

  test('of one incident is one thread with one subject', async () => {
    const first = { messageId: `<${problem().id}@example.org>`, subject: 'the first subject' };
    const mail = unfolded(await told({ message: recovery(), previous: first }));
    assert.ok(mail.includes(`In-Reply-To: ${first.messageId}`), mail);
    assert.ok(mail.includes(`References: <${problem().thread}@example.org> ${first.messageId}`), mail);
    assert.ok(mail.includes('Subject: the first subject'));
    assert.ok(mail.includes('X-Watchkeeper-State: up'));
  });

  for (const [index, text] of hostileTexts.entries())
    test(`hostile text ${index + 1} makes no header, no recipient and no markup`, async () => {
      const mail = await told({ message: problem({ subject: text, headline: text, facts: [{ label: text, text }] }) });
      const [head = ''] = mail.split('\n\n');
      const names = head.split('\n').flatMap((line) => /^[\w-]+(?=:)/.exec(line)?.[0].toLowerCase() ?? []);
      assert.deepEqual(
        names.filter((name) => /^(?:bcc|cc)$/.test(name)),
        [],
      );
      assert.deepEqual(names.filter((name) => /^(?:to|subject|from)$/.test(name)).toSorted(), [
        'from',
        'subject',
        'to',
      ]);
      assert.ok(mail.split('\n').every((line) => line.length <= 998));
      assert.doesNotMatch(mail.slice(mail.indexOf('text/html')), /<script>|<b onmouseover/);
    });

  for (const [what, replies, outcome] of [
    ['greylisting of a recipient', { RCPT: '450 4.7.1 try later\r\n' }, 'retry'],
    ['no such mailbox', { RCPT: '550 5.1.1 no such user\r\n' }, 'broken'],
    ['a sender that may not', { MAIL: '550 5.7.1 relaying denied\r\n' }, 'broken'],
    ['a full disk', { DATA: '452 4.3.1 no space\r\n' }, 'retry'],
    ['content that is refused', { '.': '554 5.7.1 spam\r\n' }, 'refused'],
    ['an answer that is no SMTP', { EHLO: 'HTTP/1.1 200 OK\r\n\r\n' }, 'retry'],
  ] as const)
    test(`${what} is ${outcome}`, async () => {
      await using server = await mailServer({ ...script, replies: { ...script.replies, ...replies } });
      const result = await send(server.port);
      assert.equal(result.outcome, outcome, JSON.stringify(result));
    });

  test('a wrong password breaks the notifier, and is not shown', async () => {
    const AUTH = '535 5.7.8 bad credentials for canary-password\r\n';
    await using server = await mailServer({ ...script, repliesInTls: { ...script.repliesInTls, AUTH } });
    const result = await send(server.port, { options: { user: 'wk', password: 'canary-password' } });
    assert.equal(result.outcome, 'broken');
    assert.doesNotMatch(result.text ?? '', /canary/);
  });

  test('a certificate that is not trusted is tried again, and nothing is sent', async () => {
    await using server = await mailServer(script);
    const result = await send(server.port, { options: { ca: expired.certificate } });
    assert.equal(result.outcome, 'retry', JSON.stringify(result));
    assert.ok(!server.lines.some((line) => line.includes('MAIL')));
  });

  test('silence ends after 20 s', async () => {
    const clock = new FakeClock();
    let connections = 0;
    await using server = await tcpServer((socket) => {
      connections += 1;
      socket.on('error', () => {});
    });
    const sending = send(server.port, { clock });
    await eventually('it connected', () => connections > 0);
    await clock.advance(20_000);
    assert.equal((await sending).outcome, 'retry');
  });

  test('a server that talks without end is cut off', async () => {
    const clock = new FakeClock();
    let connections = 0;
    await using server = await tcpServer((socket) => {
      connections += 1;
      socket.on('error', () => {});
      const talk = (): void => {
        while (!socket.destroyed && socket.write('220-'.repeat(1000)));
      };
      socket.on('drain', talk);
      talk();
    });
    const sending = send(server.port, { clock });
    await eventually('it connected', () => connections > 0);
    await clock.advance(20_000);
    assert.equal((await sending).outcome, 'retry');
  });

  test('the egress policy holds', async () => {
    const result = await send(25, { options: { host: '169.254.169.254' } });
    assert.equal(result.outcome, 'broken');
    assert.match(result.text ?? '', /egress policy/);
  });

  for (const wrong of [
    { to: ['a@b.example\r\nBcc: c@d.example'] },
    { to: ['"a@b.example, c@d.example"'] },
    { from: 'no address' },
    { user: 'only' },
    { security: 'none', host: 'mail.example', user: 'wk', password: 'secret' },
  ])
    test(`${JSON.stringify(wrong)} is refused`, () => {
      const options = { host: 'localhost', from: 'wk@example.org', to: ['ops@example.org'], ...wrong };
      assert.ok(!email.options.safeParse(options).success);
    });
});
