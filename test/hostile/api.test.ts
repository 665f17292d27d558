import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { eventually } from '../../src/testing/eventually.ts';
import { AttackedServer } from './attacked-server.ts';

let server: AttackedServer;
let token: string;

before(async () => {
  server = await AttackedServer.open({ flags: ['--no-local-agent'] });
  token = (await readFile(join(server.data, 'api-token'), 'utf8')).trim();
});
after(() => server[Symbol.asyncDispose]());

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly message: string;
}

async function send(path: string, body: string): Promise<Answer> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const response = await fetch(`${server.url}/api/v1${path}`, { method: 'POST', headers, body });
  const answer = await response.text();
  const { detail = '' } = JSON.parse(answer) as { readonly detail?: string };
  return { status: response.status, text: answer, message: detail };
}

function nested(levels: number, open = '[', close = ']'): string {
  return open.repeat(levels) + close.repeat(levels);
}

describe('AT14: a body that is deep', () => {
  for (const levels of [33, 5000, 500_000])
    for (const [what, body] of [
      ['alone', nested(levels)],
      ['of mappings', '{"a":'.repeat(levels / 5) + '1' + '}'.repeat(levels / 5)],
      ['in a name', `{"type":"tcp","target":"a:1","name":${nested(levels)}}`],
      ['in options', `{"type":"http","target":"http://a","options":{"body":${nested(levels)}}}`],
      ['in agents', `{"type":"tcp","target":"a:1","agents":[${nested(levels)}]}`],
    ] as const)
      test(`is refused in a sentence: ${levels} levels ${what}`, async () => {
        for (const path of ['/monitors', '/invites']) {
          const { status, message } = await send(path, body);
          assert.equal(status, 400, message);
          assert.match(message, /^body: |^unknown option a$|there is no such option|expected a/);
        }
      });

  test('leaves no trace of a fault in the log', () => {
    assert.doesNotMatch(server.said, /RangeError|\bat .*\.ts:\d/);
  });
});

function keys(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 1]));
}

describe('AT14: a body of a megabyte', () => {
  const monitor = { name: 'x', type: 'tcp', target: 'a:1' };
  for (const [what, body] of [
    ['80,000 unknown keys', { ...monitor, ...keys(80_000) }],
    ['9,000 unknown keys', { ...monitor, ...keys(9000) }],
    ['9,000 unknown options', { ...monitor, options: keys(9000) }],
    ['9,000 headers', { type: 'http', target: 'http://a', options: { headers: keys(9000) } }],
    ['one key of 900 kB', { ...monitor, ['k'.repeat(900_000)]: 1 }],
    ['a name of 900 kB', { ...monitor, name: 'k'.repeat(900_000) }],
    ['a type of 900 kB', { ...monitor, type: 'k'.repeat(900_000) }],
    ['a target of 900 kB', { ...monitor, target: 'k'.repeat(900_000) }],
    ['200,000 agents', { ...monitor, agents: Array.from({ length: 200_000 }, () => 1) }],
  ] as const)
    test(`with ${what} is refused in a few lines`, async () => {
      const { status, text: answer } = await send('/monitors', JSON.stringify(body));
      assert.equal(status, 400);
      assert.ok(answer.length < 4000, `${answer.length} bytes`);
    });

  test('is refused as shortly for a route whose body has a schema', async () => {
    const { status, text: answer } = await send('/invites', JSON.stringify(keys(9000)));
    assert.equal(status, 400);
    assert.ok(answer.length < 4000, `${answer.length} bytes`);
  });

  test('says how much was left out', async () => {
    const { message } = await send('/monitors', JSON.stringify({ ...monitor, ...keys(500) }));
    assert.match(message, /^k0: there is no such option.*; and 91 more mistakes$/);
  });
});

/** The status and the headers that are answered to these lines. */
async function raw(...lines: readonly string[]): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`${['GET /api/v1/agents HTTP/1.1', ...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
  const answer = await text(socket);
  return answer.slice(0, answer.indexOf('\r\n\r\n'));
}

describe('AT14: the header of a request', () => {
  const cases: readonly (readonly [what: string, lines: (token: string) => readonly string[], status: number])[] = [
    ['is right', (token) => ['Host: x', `Authorization: Bearer ${token}`], 200],
    ['has the scheme in other letters (RFC 9110, 11.1)', (token) => ['Host: x', `Authorization: bEaReR ${token}`], 200],
    ['has several blanks (RFC 9110, 11.4: 1*SP)', (token) => ['Host: x', `Authorization: Bearer   ${token}`], 200],
    ['has blanks around the value (RFC 9110, 5.5)', (token) => ['Host: x', `Authorization:  Bearer ${token}  `], 200],
    ['has a tab for the blank', (token) => ['Host: x', `Authorization: Bearer\t${token}`], 401],
    ['has no blank', (token) => ['Host: x', `Authorization: Bearer${token}`], 401],
    ['has the token alone', (token) => ['Host: x', `Authorization: ${token}`], 401],
    ['has something behind the token', (token) => ['Host: x', `Authorization: Bearer ${token} x`], 401],
    ['has two tokens in one line', (token) => ['Host: x', `Authorization: Bearer ${token}, Bearer ${token}`], 401],
    ['has a token that is longer', (token) => ['Host: x', `Authorization: Bearer ${token}x`], 401],
    ['has a token that is shorter', (token) => ['Host: x', `Authorization: Bearer ${token.slice(0, -1)}`], 401],
    ['has an empty token', () => ['Host: x', 'Authorization: Bearer '], 401],
    ['has another scheme', (token) => ['Host: x', `Authorization: Basic ${token}`], 401],
    ['has the token in the query', () => ['Host: x'], 401],
    [
      'has two lines Authorization',
      (token) => ['Host: x', `Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
      400,
    ],
    [
      'has a wrong line Authorization first',
      (token) => ['Host: x', 'Authorization: Bearer x', `authorization: Bearer ${token}`],
      400,
    ],
    ['has two lines Host', (token) => ['Host: x', 'Host: y', `Authorization: Bearer ${token}`], 400],
    ['has two equal lines Host', (token) => ['Host: x', 'HOST: x', `Authorization: Bearer ${token}`], 400],
    ['has no Host', (token) => [`Authorization: Bearer ${token}`], 400],
    ['has a Host that is none', (token) => ['Host: a b', `Authorization: Bearer ${token}`], 400],
  ];
  for (const [what, lines, status] of cases)
    test(`that ${what} is answered ${status}`, async () => {
      const answer = await raw(...lines(token));
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    });

  test('says of a 401 what is wanted, and of a wrong token that it is wrong (RFC 6750, section 3)', async () => {
    assert.match(await raw('Host: x'), /^www-authenticate: Bearer$/im);
    assert.match(
      await raw('Host: x', 'Authorization: Bearer wrong'),
      /^www-authenticate: Bearer error="invalid_token"$/im,
    );
  });

  test('of an upgrade may have one Host as well', async () => {
    const socket = connect(server.port, '127.0.0.1');
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
    socket.write(
      `GET /agent HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`,
    );
    assert.match(await text(socket), /^HTTP\/1\.1 400 /);
  });
});

describe('AT14: whatever is answered', () => {
  for (const path of ['/api/v1/agents', '/api/v1/none', '/nowhere', '/healthz', '/livez', '/readyz', '/metrics'])
    for (const given of ['with', 'without'])
      test(`at ${path} ${given} a token is neither stored nor sniffed`, async () => {
        const headers = given === 'with' ? { Authorization: `Bearer ${token}` } : {};
        const response = await fetch(server.url + path, { headers });
        await response.text();
        assert.equal(response.headers.get('cache-control'), 'no-store');
        assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      });
});

function make(name: string): Promise<Answer> {
  return send('/monitors', JSON.stringify({ name, type: 'tcp', target: 'a:1' }));
}

describe('AT14: names of monitors', () => {
  test('that look like another are refused, which is named', async () => {
    assert.equal((await make('door')).status, 201);
    for (const name of ['DOOR', 'ｄｏｏｒ'])
      assert.match((await make(name)).message, /^there is a monitor "door" already, which looks like /);
    assert.equal((await make('door')).message, 'there is a monitor "door" already');
  });

  test('with characters that nobody sees are refused', async () => {
    for (const name of ['do\u200bor', 'do\u202eor', 'do\u00a0or', 'do\nor'])
      assert.match(
        (await make(name)).message,
        /^name: expected a name without control and invisible characters, got one/,
      );
  });
});

describe('AT11: who did what', () => {
  test('is a line of the log for each change, with its result, and never the token', async () => {
    assert.equal((await make('audited')).status, 201);
    await send('/monitors', '{');
    await server.ask('/monitors/audited/pause', {});
    for (const line of [
      /Audit: api-token at 127\.0\.0\.1: POST \/api\/v1\/monitors: done \(201\)\./,
      /Audit: api-token at 127\.0\.0\.1: POST \/api\/v1\/monitors: refused \(400\)\./,
      /Audit: admin socket: POST \/api\/v1\/monitors\/audited\/pause: done \(200\)\./,
    ])
      await eventually(`${line}`, () => line.test(server.said));
    assert.ok(!server.said.includes(token));
  });

  test('reading is no line', async () => {
    await raw('Host: x', `Authorization: Bearer ${token}`);
    assert.doesNotMatch(server.said, /Audit: .*GET/);
  });

  test('a failed login is a line for each guesser, however often it guesses, and is counted', async () => {
    const before = await server.metric('watchkeeper_api_failed_logins_total');
    for (let at = 0; at < 50; at++) await raw('Host: x', `Authorization: Bearer guess-${at}`);
    assert.equal(await server.metric('watchkeeper_api_failed_logins_total'), before + 50);
    const lines = server.said.match(/Audit: a request from 127\.0\.0\.1 with a wrong token was refused/g);
    assert.equal(lines?.length, 1);
    assert.doesNotMatch(server.said, /guess-/);
    assert.ok((await server.metric('watchkeeper_api_writes_total')) > 2);
  });

  test('X-Forwarded-For of somebody who is no proxy of ours changes nothing', async () => {
    const headers = { Authorization: `Bearer ${token}`, 'X-Forwarded-For': '203.0.113.66' };
    await fetch(`${server.url}/api/v1/monitors/none`, { method: 'DELETE', headers });
    await eventually('it is audited', () => /at 127\.0\.0\.1: DELETE .*refused \(404\)/.test(server.said));
    assert.doesNotMatch(server.said, /203\.0\.113\.66/);
  });

  test('a path that would write lines of its own is one line', async () => {
    const headers = { Authorization: `Bearer ${token}` };
    await fetch(`${server.url}/api/v1/monitors/${encodeURIComponent('x\nAudit: forged\u001b[2J')}`, {
      method: 'DELETE',
      headers,
    });
    await eventually('it is audited', () => /DELETE \/api\/v1\/monitors\/x.*forged/.test(server.said));
    assert.doesNotMatch(server.said, /^Audit: forged/m);
    assert.ok(!server.said.includes('\u001b'));
  });
});
