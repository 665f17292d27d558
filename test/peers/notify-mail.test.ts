import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '../../src/core/clock.ts';
import type { Message, MessageReceipt } from '../../src/core/message.ts';
import { email } from '../../src/notify/email/email.ts';
import type { SendResult } from '../../src/notify/notifier.ts';
import { sendMessage } from '../../src/notify/send.ts';
import { testCertificates } from '../../src/testing/certificates.ts';
import { testContext } from '../../src/testing/context.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { problem, recovery } from '../../src/testing/messages.ts';
import { missing } from './daemon.ts';
import { startDovecot, type Dovecot } from './dovecot.ts';
import { startExim, type Exim } from './exim.ts';

const skip = missing('exim4', 'dovecot', 'curl', 'openssl') || (process.getuid?.() !== 0 && 'needs root');

function header(text: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, 'im').exec(text.slice(0, text.indexOf('\n\n')))?.[1];
}

/** Mail goes to Exim by STARTTLS and a login, and is read back from Dovecot by POP3. */
describe('e-mail by way of Exim to Dovecot', { skip }, () => {
  let dovecot: Dovecot;
  let exim: Exim;

  before(async () => {
    dovecot = await startDovecot();
    exim = await startExim({ maildir: dovecot.maildir });
  });
  after(async () => {
    await exim?.[Symbol.asyncDispose]();
    await dovecot?.[Symbol.asyncDispose]();
  });

  async function send(message: Message, options: object = {}, previous?: MessageReceipt): Promise<SendResult> {
    const { ca } = await testCertificates();
    const given = {
      host: 'localhost',
      port: exim.ports.smtp,
      user: exim.username,
      password: exim.password,
      from: 'wk@example.org',
      to: ['ops@example.org'],
      ca: ca.certificate,
      ...options,
    };
    const channel = { type: email, options: email.options.parse(given), secrets: [], zone: 'Europe/Berlin' };
    const { net } = testContext();
    const signal = AbortSignal.timeout(60_000);
    return await sendMessage(channel, { message, previous, signal }, { net, clock: systemClock });
  }

  /** The mail of this number, from 1, once it has come; lines that were folded are whole again. */
  async function mail(number: number): Promise<string> {
    const { username, password, ports } = dovecot;
    return await eventually(`mail ${number}`, async () => {
      const login = `${username}:${password}`;
      const args = ['--silent', '--fail', '--insecure', '--user', login, `pop3s://127.0.0.1:${ports.pop3s}/${number}`];
      const { stdout } = await promisify(execFile)('curl', args);
      return stdout.replaceAll('\r\n', '\n').replaceAll(/\n[ \t]+/g, ' ');
    });
  }

  test('a problem and its recovery are one thread with one subject', async () => {
    const first = await send(problem());
    assert.equal(first.outcome, 'delivered', JSON.stringify(first));
    const opening = await mail(1);
    const second = await send(recovery(), {}, 'receipt' in first ? first.receipt : undefined);
    assert.equal(second.outcome, 'delivered', JSON.stringify(second));
    const ending = await mail(2);
    assert.equal(header(ending, 'Subject'), header(opening, 'Subject'));
    assert.equal(header(ending, 'In-Reply-To'), header(opening, 'Message-ID'));
    assert.equal(header(opening, 'Auto-Submitted'), 'auto-generated');
    assert.deepEqual([header(opening, 'X-Watchkeeper-State'), header(ending, 'X-Watchkeeper-State')], ['down', 'up']);
    assert.match(opening, /DOWN api\.example\.net: TLS expired/);
    assert.match(opening, /2026-11-28 03:13 \+01:00 \(02:13 UTC\)/);
  });

  test('a name with line breaks and other scripts makes no header, and arrives', async () => {
    const name = 'münchen 東京\r\nBcc: victim@example.org\r\n\r\n😀';
    const { outcome } = await send(problem({ subject: name, headline: `DOWN ${name}` }));
    assert.equal(outcome, 'delivered');
    const text = await mail(3);
    assert.equal(header(text, 'Bcc'), undefined);
    assert.match(header(text, 'Subject') ?? '', /^=\?UTF-8\?/);
    assert.ok(!text.includes('victim@example.org\n'), text);
  });

  test('a wrong password breaks the notifier, in the words of the server', async () => {
    const result = await send(problem(), { password: 'wrong' });
    assert.equal(result.outcome, 'broken');
    assert.match(result.text, /^"535 /);
  });

  test('without a login the server takes nothing, and the notifier is broken', async () => {
    const result = await send(problem(), { user: undefined, password: undefined });
    assert.equal(result.outcome, 'broken');
    assert.match(result.text, /^"550 /);
  });
});
