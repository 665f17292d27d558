import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { provider, type Provider } from '../../src/testing/provider.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { Served } from './served.ts';

const canary = 'canaryCanaryCanary';

describe('watchkeeper notify', () => {
  let hooks: Provider;
  let server: Served;

  before(async () => {
    hooks = await provider(({ path }) =>
      path.includes('broken') ? { status: 404, body: `no hook ${path}` } : { status: 200, body: 'ok' },
    );
    server = await Served.start(
      `notifiers:
  - { name: ops chat, kind: slack, options: { webhookUrl: '${hooks.origin}/services/${canary}' }, fallback: gone }
  - { name: gone, kind: webhook, options: { url: '${hooks.origin}/broken/${canary}' } }
  - { name: cloud, kind: webhook, options: { url: 'http://169.254.169.254/${canary}' } }
  - { name: tell, kind: command, options: { command: [/bin/sh, -c, 'cat > /dev/null; echo told'] } }
  - { name: wrong, kind: slak }
`,
      { localAgent: false },
    );
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await hooks[Symbol.asyncDispose]();
  });

  test('test sends a problem and its recovery, and shows the answers', async () => {
    const { stdout, code } = await runWatchkeeper(server.words('notify', 'test', 'ops chat'));
    assert.equal(code, 0);
    assert.match(stdout, /^problem {2}delivered: 200 OK: "ok"\nrecovery delivered: 200 OK: "ok"\n$/);
    const texts = hooks.asked.filter(({ path }) => path.includes('services')).map(({ body }) => JSON.parse(body).text);
    assert.match(texts[0], /^TEST ops chat: this is what a problem looks like\n/);
    assert.match(texts[1], /^TEST ops chat: and this is its recovery\n/);
  });

  test('test shows why nothing arrives, ends with 2, and shows no secret', async () => {
    const { stdout, code } = await runWatchkeeper(server.words('notify', 'test', 'gone'));
    assert.equal(code, 2);
    assert.match(stdout, /^problem {2}not possible: 404 Not Found: "no hook /);
    assert.ok(!stdout.includes(canary), stdout);
  });

  test('the egress policy of the server holds for notifiers', async () => {
    const { stdout, code } = await runWatchkeeper(server.words('notify', 'test', 'cloud'));
    assert.equal(code, 2);
    assert.match(stdout, /egress policy/);
  });

  test('a command runs, and its output is the answer', async () => {
    const { stdout, code } = await runWatchkeeper(server.words('notify', 'test', 'tell'));
    assert.equal(code, 0);
    assert.match(stdout, /exit code 0: "told"/);
  });

  test('an unknown name is answered with those that there are', async () => {
    const { stderr, code } = await runWatchkeeper(server.words('notify', 'test', 'fone'));
    assert.equal(code, 3);
    assert.match(stderr, /there is no notifier "fone"; known are "ops chat", "gone", "cloud", "tell"/);
  });

  test('list shows every notifier, and nothing of its secrets', async () => {
    const { stdout } = await runWatchkeeper(server.words('notify', 'list', '--json'));
    const listed = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      listed.map(({ name, kind }) => `${name}: ${kind}`),
      ['ops chat: slack', 'gone: webhook', 'cloud: webhook', 'tell: command'],
    );
    assert.deepEqual(listed[0].options, { webhookUrl: '***', url: 'https://slack.com/api' });
    assert.ok(!stdout.includes(canary), stdout);
  });

  test('what is wrong with a notifier is said at the start, and no secret is in what the server says', () => {
    assert.match(server.said, /notifiers\[4\]\.kind: expected a kind of notifier, got "slak"; did you mean slack\?/);
    assert.ok(!server.said.includes(canary));
  });

  test('nobody may test a notifier without a token', async () => {
    const { status } = await fetch(`${server.url}/api/v1/notifiers/gone/test`, { method: 'POST' });
    assert.equal(status, 401);
  });

  test('no file of the server holds a secret of a notifier', () => {
    const files = readdirSync(server.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.length > 3);
    for (const { parentPath, name } of files) assert.ok(!readFileSync(join(parentPath, name)).includes(canary), name);
  });
});
