import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Served } from './served.ts';

const password = 'correct horse battery staple';

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly headers: Headers;
}

describe('signing in', () => {
  let server: Served;
  let key = '';
  let cookie = '';

  before(async () => {
    server = await Served.start(undefined, { localAgent: false });
    key = /#setup=(\S+)/.exec(server.said)?.[1] ?? '';
  });
  after(() => server[Symbol.asyncDispose]());

  interface Asked {
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
  }

  async function ask(method: string, path: string, { body, headers = {} }: Asked = {}): Promise<Answer> {
    const response = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const { code } = (await response.json()) as { code?: string };
    return { status: response.status, code, headers: response.headers };
  }

  test('a foreign page can neither sign in nor set up', async () => {
    const body = { key, name: 'Mallory', password };
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'none' },
    ])
      for (const path of ['/setup', '/sign-in']) {
        const { status, code } = await ask('POST', path, { body, headers });
        assert.deepEqual([status, code], [403, 'forbidden'], `${path} ${JSON.stringify(headers)}`);
      }
  });

  test('a password that is short, or a name with markup, makes no account', async () => {
    for (const body of [
      { key, name: 'Ada', password: 'short' },
      { key, name: '<b>Ada</b>', password },
      { key, name: 'correct', password: 'correct-correct' },
    ])
      assert.equal((await ask('POST', '/setup', { body })).status, 400, body.name);
  });

  test('the cookie is for this host and its own pages alone', async () => {
    const { status, headers } = await ask('POST', '/setup', { body: { key, name: 'Ada', password } });
    assert.equal(status, 200);
    const set = headers.get('set-cookie') ?? '';
    assert.match(set, /^watchkeeper=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    cookie = set.split(';')[0] ?? '';
  });

  test('what a person may do is done by the cookie, and nothing that a foreign page asks for', async () => {
    const monitor = { name: 'made by Ada', type: 'tcp', target: '127.0.0.1:1', interval: '1h' };
    assert.equal((await ask('GET', '/sign-in', { headers: { cookie } })).status, 200);
    const foreign = { cookie, 'Sec-Fetch-Site': 'cross-site' };
    assert.equal((await ask('POST', '/monitors', { body: monitor, headers: foreign })).code, 'forbidden');
    const older = { cookie, 'Sec-Fetch-Site': '', Origin: 'http://evil.example' };
    assert.equal((await ask('POST', '/monitors', { body: monitor, headers: older })).code, 'forbidden');
    assert.equal((await ask('POST', '/monitors', { body: monitor, headers: { cookie } })).status, 201);
    assert.match(server.said, /Audit: Ada at 127\.0\.0\.1: POST \/api\/v1\/monitors: done \(201\)/);
  });

  test('whoever is signed in speaks for nobody else', async () => {
    const body = { monitors: ['made by Ada'], by: 'Mallory', reason: 'quiet', for: '1h' };
    assert.equal((await ask('POST', '/silences', { body, headers: { cookie } })).status, 200);
    const { windows } = (await server.ask('GET', '/silences')).body;
    assert.deepEqual(
      windows.map(({ name }: { readonly name: string }) => name),
      ['quiet (by Ada)'],
    );
  });

  test('a sign-in survives a restart, and ends when the person signs out', async () => {
    await server.stop();
    await server.startAgain();
    assert.doesNotMatch(server.said, /#setup=/);
    assert.equal((await ask('GET', '/sign-in', { headers: { cookie } })).status, 200);
    assert.equal((await ask('DELETE', '/sign-in', { headers: { cookie } })).status, 200);
    assert.equal((await ask('GET', '/sign-in', { headers: { cookie } })).code, 'unauthorized');
  });

  test('whoever guesses must wait, and is told how long', async () => {
    const body = { name: 'Ada', password: 'a guess, and another' };
    let wrong = 0;
    let answer = await ask('POST', '/sign-in', { body });
    for (; answer.status === 401 && wrong < 1000; wrong++) answer = await ask('POST', '/sign-in', { body });
    assert.ok(wrong >= 5, `${wrong} guesses were let through`);
    assert.equal(answer.code, 'too-many-requests');
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
    assert.match(server.said, /Audit: somebody at 127\.0\.0\.1 gave a wrong name or password/);
  });
});
