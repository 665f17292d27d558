import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testCertificates } from '../../testing/certificates.ts';
import { testContext } from '../../testing/context.ts';
import { mailServer, type MailScript } from '../../testing/mail-server.ts';
import { mailCheckContract } from '../mail.contract.ts';
import { smtp } from './smtp.ts';

mailCheckContract(smtp, {
  script: {
    greeting: '220-mail.test ESMTP\r\n220\r\n',
    replies: {
      EHLO: '250-mail.test\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 HELP\r\n',
      STARTTLS: '220 go\r\n',
      QUIT: '221 bye\r\n',
    },
    repliesInTls: { EHLO: '250-mail.test\r\n250-AUTH LOGIN PLAIN\r\n250 PIPELINING\r\n' },
    other: '502 what\r\n',
    startTls: 'STARTTLS',
  },
  offered: 'PIPELINING',
  login: { 'AUTH PLAIN AHNVBWVVBMUAC2UIY3JCZXQ=': '235 welcome\r\n' },
  refusal: '535 5.7.8 WORDS\r\n',
  unwelcome: '554 busy\r\n',
});

describe('SMTP servers that offer less', () => {
  const script: MailScript = {
    greeting: '220 mail\r\n',
    replies: { EHLO: '250 mail\r\n' },
    other: '502 what\r\n',
    tlsFromStart: true,
  };

  async function run(parts: Partial<MailScript>, options: object = {}) {
    const { ca } = await testCertificates();
    await using server = await mailServer({ ...script, ...parts });
    const target = { host: 'localhost', family: '4', port: server.port, security: 'tls', tls: { ca: ca.certificate } };
    const outcome = await smtp.run(smtp.options.parse({ ...target, ...options }), testContext());
    return { outcome, lines: server.lines };
  }

  test('one that does not know EHLO is greeted with HELO and offers nothing (RFC 5321 section 3.2)', async () => {
    const { outcome } = await run({ replies: { HELO: '250 mail\r\n' } });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.deepEqual(outcome.detail['capabilities'], []);
  });

  test('one that has only LOGIN gets the name and the password one by one', async () => {
    const replies = {
      EHLO: '250-mail\r\n250 AUTH=LOGIN\r\n',
      'AUTH LOGIN': '334 VXNlcm5hbWU6\r\n',
      // someone
      C29TZW9UZQ: '334 UGFzc3dvcmQ6\r\n',
      // secret
      C2VJCMV0: '235 welcome\r\n',
    };
    const { outcome, lines } = await run({ replies }, { username: 'someone', password: 'secret' });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.ok(lines.includes('TLS c2VjcmV0'), lines.join('\n'));
  });
});
