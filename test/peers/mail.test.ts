import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { imap } from '../../src/checks/imap/imap.ts';
import { pop3 } from '../../src/checks/pop3/pop3.ts';
import { smtp } from '../../src/checks/smtp/smtp.ts';
import { ssh } from '../../src/checks/ssh/ssh.ts';
import type { CheckType } from '../../src/core/check.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { testCertificates } from '../../src/testing/certificates.ts';
import { testContext } from '../../src/testing/context.ts';
import { missing } from './daemon.ts';
import { startDovecot } from './dovecot.ts';
import { startExim } from './exim.ts';
import { startSshd } from './sshd.ts';

const notRoot = process.getuid?.() !== 0 && 'needs root';

interface MailPeer extends AsyncDisposable {
  readonly username: string;
  readonly password: string;
}

interface Plan<Peer extends MailPeer> {
  readonly skip: string | false;
  readonly check: CheckType;
  readonly start: () => Promise<Peer>;
  readonly ports: (peer: Peer) => { readonly plain: number; readonly tls: number };
  readonly offered: string;
}

async function runMail(check: CheckType, options: object): Promise<Outcome> {
  const { ca } = await testCertificates();
  const parsed = check.options.parse({ host: 'localhost', family: '4', tls: { ca: ca.certificate }, ...options });
  return await check.run(parsed, testContext({ signal: AbortSignal.timeout(15_000) }));
}

function peerTests<Peer extends MailPeer>(name: string, { skip, check, start, ports, offered }: Plan<Peer>): void {
  describe(name, { skip }, () => {
    let peer: Peer;
    before(async () => void (peer = await start()));
    after(async () => await peer?.[Symbol.asyncDispose]());

    test('STARTTLS and a login', async () => {
      const { username, password } = peer;
      const outcome = await runMail(check, { port: ports(peer).plain, username, password, capabilities: [offered] });
      assert.equal(outcome.status, 'up', outcome.message);
      assert.match(outcome.message, /after STARTTLS, logged in as someone: /);
    });

    test('TLS from the start', async () => {
      const outcome = await runMail(check, { port: ports(peer).tls, security: 'tls', capabilities: [offered] });
      assert.equal(outcome.status, 'up', outcome.message);
    });

    test('without TLS', async () => {
      const outcome = await runMail(check, { port: ports(peer).plain, security: 'none' });
      assert.equal(outcome.status, 'up', outcome.message);
    });

    test('a wrong password is down, in the words of the server', async () => {
      const outcome = await runMail(check, { port: ports(peer).plain, username: peer.username, password: 'wrong' });
      assert.deepEqual([outcome.status, outcome.reason], ['down', 'assertion'], outcome.message);
      assert.match(outcome.message, /to the login, got "/);
    });
  });
}

peerTests('exim', {
  skip: missing('exim4', 'openssl') || notRoot,
  check: smtp,
  start: startExim,
  ports: ({ ports }) => ({ plain: ports.smtp, tls: ports.smtps }),
  offered: 'PIPELINING',
});
peerTests('dovecot by IMAP', {
  skip: missing('dovecot', 'openssl') || notRoot,
  check: imap,
  start: startDovecot,
  ports: ({ ports }) => ({ plain: ports.imap, tls: ports.imaps }),
  offered: 'AUTH PLAIN',
});
peerTests('dovecot by POP3', {
  skip: missing('dovecot', 'openssl') || notRoot,
  check: pop3,
  start: startDovecot,
  ports: ({ ports }) => ({ plain: ports.pop3, tls: ports.pop3s }),
  offered: 'SASL PLAIN',
});

describe('sshd', { skip: missing('sshd', 'ssh-keygen') || notRoot }, () => {
  test('its identification is read, and its log has no complaint', async () => {
    await using sshd = await startSshd();
    const options = ssh.options.parse({ host: '127.0.0.1', port: sshd.port, software: '^OpenSSH_' });
    const outcome = await ssh.run(options, testContext());
    assert.equal(outcome.status, 'up', outcome.message);
    assert.match(outcome.message, /answers: "SSH-2\.0-OpenSSH_/);
    assert.doesNotMatch(sshd.output(), /banner|invalid/i);
  });

  test('an identification without comments is read', async () => {
    await using sshd = await startSshd('DebianBanner no');
    const outcome = await ssh.run(ssh.options.parse({ host: '127.0.0.1', port: sshd.port }), testContext());
    assert.equal(outcome.detail['comments'], undefined, outcome.message);
  });
});
