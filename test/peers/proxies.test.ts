import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { createCertificate } from '../../src/protocol/certificate.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { Program } from '../../src/testing/program.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { AttackedServer } from '../hostile/attacked-server.ts';
import { acceptsTcp, missing, startDaemon, temporaryFolder } from './daemon.ts';

const page = join(import.meta.dirname, '../../docs/proxies.md');
const environment = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
const agentsName = 'localhost';
/** This nginx passes on no upgrade; HAProxy does. */
const whatIsWrong = {
  nginx: /HTTP status 404 was answered where a line for agents was expected: .*does not pass TLS through/,
  haproxy: /something between it and this server ended TLS/,
};

/** The configuration in docs/proxies.md, with these in place of its ports, names and files. */
async function documented(kind: 'nginx' | 'haproxy', replacements: Readonly<Record<string, string>>): Promise<string> {
  const [, block] =
    new RegExp(`<!-- ${kind} -->\n\`\`\`\\w+\n([^]*?)\n\`\`\``).exec(await readFile(page, 'utf8')) ?? [];
  assert.ok(block, `docs/proxies.md has a block for ${kind}`);
  return Object.entries(replacements).reduce((configuration, [from, to]) => {
    assert.ok(configuration.includes(from), from);
    return configuration.replaceAll(from, to);
  }, block);
}

function commandOf(kind: 'nginx' | 'haproxy', folder: string, config: string): readonly [string, ...string[]] {
  if (kind === 'haproxy') return ['haproxy', '-db', '-f', config];
  return ['nginx', '-p', folder, '-c', config, '-e', join(folder, 'error.log')];
}

/** The status and the body that are answered behind the proxy to `name`. */
function ask(port: number, name: string, token: string): Promise<{ readonly status: number; readonly body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly body: string }>();
  const options = { host: '127.0.0.1', port, servername: name, path: '/api/v1/monitors/none', method: 'DELETE' };
  const headers = { Authorization: `Bearer ${token}`, Host: name };
  request({ ...options, headers, rejectUnauthorized: false }, (response) => {
    void text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
  })
    .once('error', reject)
    .end();
  return promise;
}

for (const kind of ['nginx', 'haproxy'] as const)
  describe(`SF12: behind ${kind}`, { skip: missing(kind) }, () => {
    test('agents join through it, and people are served where it ends TLS', async () => {
      await using folder = await temporaryFolder(kind);
      const [front, ending] = [await closedPort(), await closedPort()];
      const { certificate, key } = createCertificate('watch.example', Date.now());
      const files = { pem: join(folder.path, 'watch.pem'), key: join(folder.path, 'watch.key') };
      const both = join(folder.path, 'both.pem');
      await Promise.all([
        writeFile(files.pem, certificate),
        writeFile(files.key, key),
        writeFile(both, certificate + key),
      ]);
      await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
      await server.configure(
        JSON.stringify({
          monitors: [],
          publicUrl: `https://${agentsName}:${front}`,
          trustedProxies: ['127.0.0.1'],
          tls: { certificate: files.pem, key: files.key },
        }),
      );
      server.program.start();
      await server.untilAnswering();
      const places = { '127.0.0.1:7411': `127.0.0.1:${server.port}`, '127.0.0.1:8443': `127.0.0.1:${ending}` };
      const names = { 'agents.example': agentsName };
      const config = join(folder.path, 'proxy.conf');
      const preamble = `load_module /usr/lib/nginx/modules/ngx_stream_module.so; daemon off; pid ${folder.path}/pid; events {}\n`;
      const own = {
        nginx: {
          'listen 443': `listen 127.0.0.1:${front}`,
          '/etc/ssl/watch.pem': files.pem,
          '/etc/ssl/watch.key': files.key,
        },
        haproxy: { 'bind :443': `bind 127.0.0.1:${front}`, '/etc/ssl/watch.both.pem': both },
      }[kind];
      const configuration = await documented(kind, { ...places, ...names, ...own });
      await writeFile(config, kind === 'nginx' ? preamble + configuration : `${configuration}\n`);
      await using proxy = await startDaemon(commandOf(kind, folder.path, config), {
        ready: () => acceptsTcp(front),
        env: environment,
      });
      assert.ok(proxy);

      const { command: line, token } = await server.ask<{ readonly command: string; readonly token: string }>(
        '/invites',
        {},
      );
      assert.match(line, new RegExp(`--join https://${agentsName}:${front}\\b`));
      const words = [
        'agent',
        '--join',
        `https://${agentsName}:${front}`,
        '--name',
        'seat',
        '--data',
        join(folder.path, 'seat'),
      ];
      await using agent = new Program(() => [...words, '--token', token]);
      agent.start();
      await eventually('the agent joins', async () => (await server.agent('seat'))?.status === 'online');

      const apiToken = (await readFile(join(server.data, 'api-token'), 'utf8')).trim();
      assert.equal((await ask(front, 'watch.example', apiToken)).status, 404);
      await eventually('it is audited', () => /Audit: api-token at 127\.0\.0\.1: DELETE/.test(server.said));

      const second = await server.ask<{ readonly token: string }>('/invites', {});
      const wrong = [
        'agent',
        '--join',
        `https://127.0.0.1:${ending}`,
        '--name',
        'lost',
        '--data',
        join(folder.path, 'lost'),
      ];
      await using lost = new Program(() => [...wrong, '--token', second.token]);
      lost.start();
      await eventually('the agent that takes the door where TLS ends says so', () => whatIsWrong[kind].test(lost.said));
      assert.equal(await server.agent('lost'), undefined);
    });
  });
