import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckType } from '../core/check.ts';
import type { Outcome } from '../core/outcome.ts';
import { testCertificates } from '../testing/certificates.ts';
import { testContext } from '../testing/context.ts';
import { eventually } from '../testing/eventually.ts';
import { mailServer, type MailScript, type MailTestServer } from '../testing/mail-server.ts';
import { stand, type Stand } from '../testing/stand.ts';
import { closedPort, tcpServer } from '../testing/tcp-server.ts';
import { checkContract } from './check.contract.ts';

export interface MailContract {
  /** A server that offers STARTTLS, and a login in TLS. */
  readonly script: MailScript & { readonly startTls: string };
  /** Something that it offers. */
  readonly offered: string;
  /** The reply with which a login ends well, by the begin of its command. */
  readonly login: Readonly<Record<string, string>>;
  readonly refusal: string;
  /** A greeting that says no. */
  readonly unwelcome: string;
}

async function standOf(server: MailTestServer): Promise<Stand> {
  const { ca } = await testCertificates();
  const tls = { ca: ca.certificate };
  const options = { host: 'localhost', family: '4', port: server.port, tls };
  return stand(options, () => server[Symbol.asyncDispose]());
}

/** What every check of a mail server keeps. Called from the test of each type. */
export function mailCheckContract(check: CheckType, contract: MailContract): void {
  const { script, offered, login, refusal, unwelcome } = contract;
  const run = async (server: { readonly port: number }, options: object = {}): Promise<Outcome> => {
    const { ca } = await testCertificates();
    const tls = { ca: ca.certificate };
    const parsed = check.options.parse({ host: 'localhost', family: '4', port: server.port, tls, ...options });
    return await check.run(parsed, testContext({ signal: AbortSignal.timeout(5000) }));
  };
  const withLogin: MailScript = { ...script, repliesInTls: { ...script.repliesInTls, ...login } };
  const credentials = { username: 'someone', password: 'se"cr\\et' };

  checkContract(check, {
    answering: async () => await standOf(await mailServer(script)),
    async silent() {
      const server = await tcpServer((socket) => socket.resume());
      return stand({ host: '127.0.0.1', port: server.port }, () => server[Symbol.asyncDispose]());
    },
  });

  describe(`TLS of ${check.type}`, () => {
    test('STARTTLS is used where it is offered, and what is offered is asked for again in TLS', async () => {
      await using server = await mailServer(script);
      const outcome = await run(server);
      assert.equal(outcome.status, 'up', outcome.message);
      assert.match(outcome.message, /answers and speaks TLS after STARTTLS: /);
      assert.ok((outcome.detail['capabilities'] as string[]).includes(offered), 'capabilities');
      assert.ok((outcome.metrics['certificateDaysLeft'] ?? 0) > 14);
      await eventually('the goodbye', () => /^TLS .*(?:QUIT|LOGOUT)$/.test(server.lines.at(-1) ?? ''));
    });

    test('security: none leaves it out', async () => {
      await using server = await mailServer(script);
      const outcome = await run(server, { security: 'none' });
      assert.equal(outcome.status, 'up', outcome.message);
      assert.equal(outcome.detail['tls'], undefined);
    });

    test('a server without it is up, unless it is required', async () => {
      const { startTls: _, ...plain } = script;
      const replies = Object.fromEntries(
        Object.entries(script.replies).map(([command, reply]) => [command, reply.replaceAll(/(START|S)TLS/g, 'XX')]),
      );
      const bare = { ...plain, replies };
      await using server = await mailServer(bare);
      assert.equal((await run(server)).status, 'up');
      const required = await run(server, { security: 'starttls' });
      assert.deepEqual([required.status, required.reason], ['down', 'assertion'], required.message);
      assert.match(required.message, /to offer S\w+, it offers/);
      const refused = await run(server, credentials);
      assert.match(refused.message, /the password was not sent/);
      assert.ok(!server.lines.join('\n').includes('someone'), server.lines.join('\n'));
    });

    test('security: tls begins with the handshake', async () => {
      await using server = await mailServer({ ...script, tlsFromStart: true });
      const outcome = await run(server, { security: 'tls' });
      assert.equal(outcome.status, 'up', outcome.message);
      assert.match(outcome.message, /speaks TLS: /);
    });

    test('a certificate that is not trusted is down', async () => {
      await using server = await mailServer(script);
      assert.equal((await run(server, { tls: {} })).reason, 'tls-untrusted');
      assert.equal((await run(server, { tls: { verify: false } })).status, 'up');
    });
  });

  describe(`the login of ${check.type}`, () => {
    test('is done in TLS', async () => {
      await using server = await mailServer(withLogin);
      const outcome = await run(server, credentials);
      assert.equal(outcome.status, 'up', outcome.message);
      assert.match(outcome.message, /, logged in as someone/);
      assert.ok((outcome.metrics['loginMs'] ?? -1) >= 0);
    });

    test('that is refused is down with the words of the server, and without the password', async () => {
      const secrets = [credentials.password, Buffer.from(`\0someone\0${credentials.password}`).toString('base64')];
      const repeating = Object.fromEntries(
        Object.keys(login).map((command) => [
          command,
          refusal.replace('WORDS', `no such thing as ${secrets.join(' ')}`),
        ]),
      );
      await using server = await mailServer({ ...script, repliesInTls: { ...script.repliesInTls, ...repeating } });
      const outcome = await run(server, credentials);
      assert.deepEqual([outcome.status, outcome.reason], ['down', 'assertion'], outcome.message);
      assert.match(outcome.message, /no such thing as \*{3} \*{3}/);
      for (const secret of secrets) assert.ok(!JSON.stringify(outcome).includes(secret), JSON.stringify(outcome));
    });
  });

  describe(`what ${check.type} expects`, () => {
    test('something that is not offered is down, and what is offered is said', async () => {
      await using server = await mailServer(script);
      assert.equal((await run(server, { capabilities: [offered.toLowerCase()] })).status, 'up');
      const outcome = await run(server, { capabilities: ['TELEPATHY'] });
      assert.equal(outcome.reason, 'assertion');
      assert.match(outcome.message, /to offer TELEPATHY, it offers ".*"\.$/);
    });

    test('a greeting that says no is down with its words', async () => {
      await using server = await mailServer({ ...script, greeting: unwelcome });
      const outcome = await run(server);
      assert.deepEqual([outcome.status, outcome.reason], ['down', 'assertion']);
      assert.match(outcome.message, /in the greeting of localhost:\d+, got ".*busy"\.$/);
    });

    test('another protocol is told at once', async () => {
      await using server = await mailServer({ ...script, greeting: 'SSH-2.0-OpenSSH\r\n' });
      const outcome = await run(server);
      assert.deepEqual([outcome.status, outcome.reason], ['down', 'protocol']);
      assert.match(outcome.message, /got "SSH-2\.0-OpenSSH"/);
    });

    test('a closed port is refused', async () => {
      assert.equal((await run({ port: await closedPort() })).reason, 'refused');
    });

    test('options that do not go together are refused', () => {
      const mistakes = [
        [{ username: 'a' }, /username and password together/],
        [{ username: 'a', password: 'b', security: 'none' }, /TLS for a login/],
        [{ username: 'a\r\nQUIT', password: 'b' }, /without line ends/],
      ] as const;
      for (const [options, message] of mistakes)
        assert.match(JSON.stringify(check.options.safeParse({ host: 'a.test', ...options }).error?.issues), message);
    });
  });
}
