import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { Outcome } from '../../core/outcome.ts';
import { EgressPolicy } from '../../net/dial/egress.ts';
import { createNetwork } from '../../net/network.ts';
import { testContext } from '../../testing/context.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { httpServer, type HttpTestServer } from '../../testing/http-server.ts';
import { closedPort } from '../../testing/tcp-server.ts';
import { http } from './http.ts';

const secret = 'canary: s3cret/+';

interface Script {
  readonly status?: number;
  readonly body?: object | string;
}

interface TokenServer extends AsyncDisposable {
  readonly tokenUrl: string;
  /** Authorization header and form of each request. */
  readonly asked: readonly (readonly [authorization: string, form: string])[];
  /** What it gives from now on. */
  script: Script;
}

/** Gives token-1, token-2 and so on, unless the script says otherwise. */
async function tokenServer(script: Script = {}): Promise<TokenServer> {
  const asked: (readonly [string, string])[] = [];
  const server = await httpServer(async (request, response) => {
    let form = '';
    for await (const chunk of request) form += String(chunk);
    asked.push([request.headers.authorization ?? '', form]);
    const usual = { access_token: `token-${asked.length}`, token_type: 'Bearer', expires_in: 600 };
    const { status = 200, body = usual } = self.script;
    response.statusCode = status;
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const self = {
    tokenUrl: `${server.origin}/token`,
    asked,
    script,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return self;
}

/** A target that takes these tokens only. */
function target(isGood: (authorization: string) => boolean = () => true): Promise<HttpTestServer> {
  return httpServer((request: IncomingMessage, response: ServerResponse) => {
    response.statusCode = isGood(request.headers.authorization ?? '') ? 200 : 401;
    response.end('ok');
  });
}

async function check(
  { origin }: { readonly origin: string },
  oauth2: object,
  clock = new FakeClock(),
): Promise<Outcome> {
  const options = http.options.parse({
    url: `${origin}/`,
    oauth2: { clientId: 'me & you', clientSecret: secret, ...oauth2 },
  });
  const outcome = await http.run(options, testContext({ clock }));
  assert.ok(!JSON.stringify(outcome).includes(secret), 'the secret is in the result');
  return outcome;
}

test('CK5: the token of a client is asked for as RFC 6749 says, and sent to the target', async () => {
  await using tokens = await tokenServer();
  await using server = await target((authorization) => authorization === 'Bearer token-1');
  const outcome = await check(server, {
    tokenUrl: tokens.tokenUrl,
    scope: 'read write',
    audience: 'https://api.test/',
  });
  assert.equal(outcome.status, 'up', outcome.message);
  const [authorization, form] = tokens.asked[0] ?? [];
  // Section 2.3.1: encoded as a form, and then as user and password.
  const user = `me+%26+you:${new URLSearchParams({ x: secret }).toString().slice(2)}`;
  assert.equal(authorization, `Basic ${Buffer.from(user).toString('base64')}`);
  assert.equal(form, 'grant_type=client_credentials&scope=read+write&audience=https%3A%2F%2Fapi.test%2F');
});

test('CK5: a token is kept until shortly before its end, for all monitors of the client', async () => {
  await using tokens = await tokenServer();
  await using server = await target();
  await using other = await target();
  const clock = new FakeClock();
  const { tokenUrl } = tokens;
  await Promise.all([check(server, { tokenUrl }, clock), check(other, { tokenUrl }, clock)]);
  await clock.advance(539_000);
  await check(server, { tokenUrl }, clock);
  assert.equal(tokens.asked.length, 1);
  await clock.advance(2000);
  await check(server, { tokenUrl }, clock);
  assert.equal(tokens.asked.length, 2, 'of 600 s the last 60 s are left out');
  await check(server, { tokenUrl, scope: 'other' }, clock);
  assert.equal(tokens.asked.length, 3, 'another scope is another token');
});

test('CK5: a kept token that the target refuses is asked for anew, once; a new one is not', async () => {
  await using tokens = await tokenServer();
  const good = new Set(['Bearer token-1']);
  await using server = await target((authorization) => good.has(authorization));
  const clock = new FakeClock();
  const { tokenUrl } = tokens;
  assert.equal((await check(server, { tokenUrl }, clock)).status, 'up');
  good.clear();
  good.add('Bearer token-2');
  assert.equal((await check(server, { tokenUrl }, clock)).status, 'up');
  assert.equal(tokens.asked.length, 2);
  good.clear();
  const refused = await check(server, { tokenUrl }, clock);
  assert.deepEqual([refused.status, refused.reason, refused.source], ['down', 'assertion', 'target']);
  assert.equal(tokens.asked.length, 3);
});

const doing = /^Fetching an access token from 127\.0\.0\.1:\d+, before the target was asked: /;

test('CK5: a token server that fails is not the target: unknown, and it is named', async () => {
  await using server = await target();
  const cases: readonly (readonly [script: Script, reason: string, source: string, message: RegExp])[] = [
    [
      { status: 401, body: { error: 'invalid_client', error_description: `${secret}?` } },
      'denied',
      'agent',
      /refuses this client: 401 Unauthorized, .*invalid_client.*\*\*\*/,
    ],
    [{ status: 400, body: { error: 'invalid_scope' } }, 'denied', 'agent', /invalid_scope/],
    [{ status: 503, body: 'busy' }, 'protocol', 'path', /expected 200 and a token, got 503 .*"busy"/],
    [{ status: 404, body: '<html>' }, 'protocol', 'path', /expected 200 and a token, got 404/],
    [{ status: 302, body: '' }, 'protocol', 'path', /got 302/],
    [{ body: 'no JSON' }, 'protocol', 'path', /expected a token of type Bearer, got "null"/],
    [{ body: { token_type: 'mac', access_token: 'x' } }, 'protocol', 'path', /Bearer, got "\\"mac\\""/],
    [{ body: { token_type: 'bearer' } }, 'protocol', 'path', /expected an access_token/],
    [{ body: { token_type: 'bearer', access_token: 'a\r\nb' } }, 'protocol', 'path', /expected an access_token/],
    [
      { body: { token_type: 'bearer', access_token: 'a'.repeat(9000) } },
      'protocol',
      'path',
      /expected an access_token/,
    ],
    [{ body: 'x'.repeat(100_000) }, 'protocol', 'path', /Bearer/],
  ];
  for (const [script, reason, source, message] of cases) {
    await using tokens = await tokenServer(script);
    const outcome = await check(server, { tokenUrl: tokens.tokenUrl });
    assert.deepEqual([outcome.status, outcome.reason, outcome.source], ['unknown', reason, source], outcome.message);
    assert.match(outcome.message, doing);
    assert.match(outcome.message, message);
  }
  assert.equal(server.requests.length, 0);
});

test('CK5: a token server that is not there, or is not allowed, is told as such', async () => {
  await using server = await target();
  const refused = await check(server, { tokenUrl: `http://127.0.0.1:${await closedPort()}/` });
  assert.deepEqual([refused.status, refused.reason, refused.source], ['unknown', 'refused', 'path'], refused.message);
  assert.match(refused.message, doing);
  const options = http.options.parse({
    url: `${server.origin}/`,
    oauth2: { tokenUrl: 'http://192.0.2.1/', clientId: 'a', clientSecret: secret },
  });
  const clock = new FakeClock();
  const net = createNetwork({ clock, policy: new EgressPolicy({ deny: ['192.0.2.0/24'] }) });
  const denied = await http.run(options, testContext({ clock, net }));
  assert.deepEqual([denied.status, denied.reason, denied.source], ['unknown', 'denied', 'agent'], denied.message);
});

test('CK5: the end of the run while a token is fetched says nothing of the target', async () => {
  await using server = await target();
  const run = new AbortController();
  await using silent = await httpServer(() => run.abort(new DOMException('Not done in time.', 'TimeoutError')));
  const options = http.options.parse({
    url: `${server.origin}/`,
    oauth2: { tokenUrl: silent.origin, clientId: 'a', clientSecret: secret },
  });
  const late = await http.run(options, testContext({ signal: run.signal }));
  assert.deepEqual([late.status, late.reason, late.source], ['unknown', 'timeout', 'path'], late.message);
  assert.match(late.message, doing);
});

test('CK5: what is missing of a client, and other credentials beside it, are misuse', () => {
  const url = 'http://a.test/';
  const client = { tokenUrl: 'https://a.test/token', clientId: 'a', clientSecret: 'b' };
  assert.ok(http.options.safeParse({ url, oauth2: client }).success);
  for (const [options, message] of [
    [{ oauth2: { clientId: 'a' } }, /tokenUrl, clientId and clientSecret together/],
    [{ oauth2: { ...client, tokenUrl: 'ftp://a.test/' } }, /expected a URL like https:/],
    [{ oauth2: client, auth: { token: 'x' } }, /auth or oauth2, not both/],
    [{ oauth2: client, auth: { user: 'x' } }, /auth or oauth2, not both/],
  ] as const)
    assert.match(JSON.stringify(http.options.safeParse({ url, ...options }).error?.issues), message);
});
