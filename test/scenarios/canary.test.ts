import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { httpServer } from '../../src/testing/http-server.ts';
import { tcpServer } from '../../src/testing/tcp-server.ts';
import { udpServer } from '../../src/testing/udp-server.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { AttackedServer } from '../hostile/attacked-server.ts';

/** In every secret, with a number that tells which one it was. */
const canary = 'kanarien vogel';
const secret = (place: number): string => `${canary}-${place}`;
/** As it may stand in what leaves: plain, in a URL, in a form. Base64 of what holds it is looked for by its own letters. */
const forms = [
  encodeURIComponent(encodeURIComponent(canary)),
  canary,
  canary.replace(' ', '_'),
  encodeURIComponent(canary),
  canary.replace(' ', '+'),
  JSON.stringify(canary).slice(1, -1),
];

function leaksIn(what: string, text: string): readonly string[] {
  const tokens = text.match(/[A-Za-z\d+/=_-]{12,}/g) ?? [];
  const decoded = tokens.map((token) => Buffer.from(token, 'base64').toString('latin1'));
  const found = [text, ...decoded].flatMap((each) =>
    forms.flatMap((form) => (each.includes(form) ? [aroundOf(each, form)] : [])),
  );
  return found.map((around) => `${what}: ${around}`);
}

function aroundOf(text: string, form: string): string {
  const at = text.indexOf(form);
  return text.slice(Math.max(0, at - 60), at + 40);
}

/** Answers with all that it was asked. */
async function echoes() {
  const http = await httpServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      const asked = `${request.method} ${request.url}\n${JSON.stringify(request.headers)}\n${body}`;
      const isMoving = request.url === '/move';
      const headers = isMoving
        ? { Location: `/moved?from=${encodeURIComponent(asked)}` }
        : { 'X-Asked': encodeURI(asked).slice(0, 4000) };
      response.writeHead(isMoving ? 302 : 500, `No ${encodeURI(request.url ?? '')}`, headers).end(asked);
    });
  });
  const tcp = await tcpServer((socket) => void socket.on('data', (data) => socket.write(data)));
  const udp = await udpServer((datagram, reply) => reply(datagram));
  return { http, tcp, udp };
}

test('SF6: a canary in every secret place leaves neither the server nor its agents', async (t: TestContext) => {
  const { http, tcp, udp } = await echoes();
  t.after(() => Promise.all([http, tcp, udp].map((each) => each[Symbol.asyncDispose]())));
  await using server = await AttackedServer.prepare();
  const file = join(server.folder, 'secret.txt');
  await writeFile(file, `${secret(0)}\n`);
  const web = http.origin;
  const own = { interval: '1s', type: 'http' };
  const monitors = [
    { ...own, name: 'query', target: `${web}/a?api_key=${secret(1).replace(' ', '%20')}&page=1` },
    { ...own, name: 'variable', target: `${web}/b?x=\${PLAIN}&page=1`, options: { contains: ['${PLAIN}'] } },
    { ...own, name: 'path', target: `${web}/hook/\${file:secret.txt}` },
    {
      ...own,
      name: 'headers',
      target: `${web}/d`,
      options: {
        headers: { Authorization: `Bearer ${secret(4)}`, Cookie: `a=1; session=${secret(5)}`, 'X-Own': secret(6) },
      },
    },
    { ...own, name: 'basic', target: `${web}/move`, options: { auth: { user: 'ann', password: secret(7) } } },
    { ...own, name: 'bearer', target: `${web}/f`, options: { auth: { token: secret(8).replace(' ', '_') } } },
    { ...own, name: 'body', target: `${web}/move`, options: { method: 'POST', body: 'x=${PLAIN} ${file:secret.txt}' } },
    {
      ...own,
      name: 'proxied',
      target: 'http://target.example/',
      options: { proxy: web.replace('//', `//ann:${encodeURIComponent(secret(9))}@`) },
    },
    {
      interval: '1s',
      type: 'tcp',
      name: 'dialogue',
      target: `127.0.0.1:${tcp.port}`,
      options: { dialogue: [{ send: 'LOGIN ${PLAIN}', expect: 'never' }] },
      timeout: '800ms',
    },
    {
      interval: '1s',
      type: 'udp',
      name: 'datagram',
      target: `127.0.0.1:${udp.port}`,
      options: { payload: '${PLAIN}', expect: 'never' },
    },
    {
      interval: '1s',
      type: 'websocket',
      name: 'socket',
      target: `${web.replace('http', 'ws')}/s?token=${secret(10).replace(' ', '%20')}`,
      options: { headers: { 'X-Own': secret(11) }, send: '${PLAIN}' },
    },
    {
      interval: '1s',
      type: 'grpc',
      name: 'grpc',
      target: `127.0.0.1:${http.port}`,
      options: { headers: { 'x-own': secret(12) } },
    },
    {
      interval: '1s',
      type: 'imap',
      name: 'mail',
      target: `127.0.0.1:${tcp.port}`,
      options: { security: 'tls', username: 'ann', password: secret(13) },
    },
  ];
  const token = `wk1.${'p'.repeat(43)}.${secret(14).replace(' ', '_').padEnd(43, 'x')}`;
  const agents = [{ name: 'called', address: '127.0.0.1:1', token }];
  await server.configure(JSON.stringify({ monitors, agents }));
  process.env['PLAIN'] = secret(2);
  t.after(() => delete process.env['PLAIN']);
  server.program.start();
  await server.untilAnswering();
  const events = followed(server, t);
  const definition = {
    ...monitors[3],
    name: 'made',
    options: { headers: { 'X-Own': secret(15) }, auth: { user: 'ann', password: secret(16) } },
  };
  await server.ask('/monitors', definition);
  const answers = await everyAnswer(server, monitors.length + 1);
  const leaks = [
    ...answers,
    ...(await Promise.all(
      wrong.map(
        async (body) => [`error of ${JSON.stringify(Object.keys(body))}`, await refusal(server, body)] as const,
      ),
    )),
    ...(await commandLines(server)),
    ['events', events()] as const,
    ['log', server.said] as const,
    ...reportsOf(join(server.data, 'local-agent')),
  ].flatMap(([what, text]) => leaksIn(what, text));
  assert.deepEqual(leaks, []);
  assert.match(events(), /\*\*\*/, 'results came, with what was hidden');
});

/** Definitions that are refused, with a secret in the wrong place. */
const wrong = [
  { type: 'http', target: 'http://h/', options: { auth: secret(20) } },
  { type: 'http', target: 'http://h/', options: { headers: secret(21) } },
  { type: 'http', target: 'http://h/', options: { auth: { user: 'a:b', password: [secret(22)] } } },
  { type: 'http', target: `http://ann:${encodeURIComponent(secret(23))}@h/` },
  { type: 'imap', target: 'h', options: { username: 'ann', password: `${secret(24)}\n` } },
];

type Named = readonly [what: string, text: string];

/** Every answer to GET, once each monitor has a result. */
async function everyAnswer(server: AttackedServer, monitors: number): Promise<readonly Named[]> {
  interface TaskList {
    readonly tasks: readonly { readonly id: string; readonly latest: object | null }[];
  }
  const { tasks } = await eventually('each has a result', async () => {
    const list = await server.ask<TaskList>('/tasks');
    if (list.tasks.length !== monitors) throw new Error(`it said:\n${server.said}`);
    return list.tasks.every(({ latest }) => latest) && list;
  });
  const paths = [
    '/tasks',
    '/monitors',
    '/monitors/query',
    '/agents',
    '/openapi.json',
    ...tasks.map(({ id }) => `/tasks/${id}/results?from=2020-01-01T00:00:00Z&to=2040-01-01T00:00:00Z`),
  ];
  const texts = await Promise.all(paths.map(async (path) => [path, await server.get(`/api/v1${path}`)] as const));
  const open = ['/metrics', '/healthz', '/readyz'];
  return [
    ...texts,
    ...(await Promise.all(open.map(async (path) => [path, await (await fetch(server.url + path)).text()] as const))),
  ];
}

async function refusal(server: AttackedServer, body: object): Promise<string> {
  return await server.get('/api/v1/monitors', body).then(
    () => assert.fail('it was not refused'),
    (error: unknown) => (error as Error).message,
  );
}

async function commandLines(server: AttackedServer): Promise<readonly Named[]> {
  const where = ['--data', server.data];
  const lines = [
    ...['monitors', 'tasks', 'agents', 'queues'].flatMap((word) => [[word], [word, '--json']]),
    ['agent', 'status'],
    ['agent', 'status', '--json'],
  ];
  return await Promise.all(
    lines.map(async (words) => {
      const data = words[0] === 'agent' ? ['--data', join(server.data, 'local-agent')] : where;
      const { stdout, stderr } = await runWatchkeeper([...words, ...data]);
      return [words.join(' '), stdout + stderr] as const;
    }),
  );
}

/** What an agent writes for people: its own lists, which it needs, are closed to others. */
function reportsOf(folder: string): readonly Named[] {
  return readdirSync(folder)
    .filter((name) => /^(?:status|notice)/.test(name))
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);
}

/** All that the stream of events has said so far. */
function followed(server: AttackedServer, t: TestContext): () => string {
  const controller = new AbortController();
  t.after(() => controller.abort());
  let said = '';
  const token = readFileSync(join(server.data, 'api-token'), 'utf8').trim();
  const follow = async (): Promise<void> => {
    const headers = { Authorization: `Bearer ${token}` };
    const { body } = await fetch(`${server.url}/api/v1/events`, { headers, signal: controller.signal });
    for await (const piece of body ?? []) said += new TextDecoder().decode(piece);
  };
  // It ends when the test aborts it.
  follow().catch(() => {});
  return () => said;
}
