import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readEvents } from '../../src/commands/operate/event-stream.ts';
import { findAgent } from '../../src/server/routes/agents.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { timed } from '../../src/testing/lateness.ts';
import { agentView } from '../../src/testing/server-status.ts';
import { tcpServer, type TestServer } from '../../src/testing/tcp-server.ts';
import { Served } from './served.ts';

interface Operation {
  readonly method: string;
  readonly path: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a document, looked at from outside
  readonly operation: any;
}

/** Every operation of the description that the server gives of itself. */
async function operationsOf(server: Served): Promise<readonly Operation[]> {
  const { body } = await server.ask('GET', '/openapi.json');
  const [{ url }] = body.servers;
  return Object.entries<object>(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: url + path,
      operation: operation as unknown,
    })),
  );
}

describe('the HTTP interface', () => {
  let open: TestServer;
  let server: Served;

  before(async () => {
    open = await tcpServer();
    server = await Served.start(
      `monitors:\n  - { name: door, type: tcp, target: "127.0.0.1:${open.port}", interval: 1s }\n`,
    );
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await open[Symbol.asyncDispose]();
  });

  const definition = (name: string, more: object = {}): object => ({
    name,
    type: 'tcp',
    target: `127.0.0.1:${open.port}`,
    interval: '1h',
    ...more,
  });

  test('without its token nothing is told, not even what there is', async () => {
    const operations = await operationsOf(server);
    assert.ok(operations.length >= 15, `only ${operations.length} operations`);
    const paths = [
      // What anybody may ask is tested in sign-in.test.ts.
      ...operations
        .filter(({ operation }) => operation.security === undefined)
        .map(({ method, path }) => [method, path] as const),
      ['GET', '/api/v1/nothing'] as const,
    ];
    for (const [method, path] of paths) {
      for (const authorization of [undefined, 'Bearer', 'Bearer guess', `Basic ${await server.token()}`]) {
        const headers = authorization === undefined ? {} : { authorization };
        const response = await fetch(server.url + path, { method, headers });
        const body = (await response.json()) as { code: string };
        assert.deepEqual([response.status, body.code], [401, 'unauthorized'], `${method} ${path}`);
        assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer\b/);
      }
    }
  });

  test('every operation of its description is there, and says what it takes and gives', async () => {
    for (const { method, path, operation } of await operationsOf(server)) {
      const where = `${method} ${path}`;
      assert.ok(operation.summary && operation.operationId, where);
      const inPath = operation.parameters.filter((parameter: { in: string }) => parameter.in === 'path');
      assert.deepEqual(
        inPath.map(({ name, required }: { name: string; required: boolean }) => [name, required]),
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, true]),
        where,
      );
      if (path.endsWith('/events')) continue;
      const filled = path.replaceAll(/\{\w+\}/g, 'none');
      const { status, body } = await server.ask(method, filled.replace('/api/v1', ''), operation.requestBody && '?');
      assert.ok(status in operation.responses, `${where} was answered ${status}`);
      assert.doesNotMatch(JSON.stringify(body), /there is no \/api/, where);
    }
  });

  test('SF5: what is asked without a token says which methods it takes', async () => {
    for (const path of ['/livez', '/readyz', '/healthz', '/metrics']) {
      const response = await fetch(server.url + path, { method: 'POST' });
      assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD'], path);
    }
  });

  const mistakes: readonly (readonly [string, string, unknown, number, string, RegExp])[] = [
    ['GET', '/nothing', undefined, 404, 'not-found', /there is no \/api\/v1\/nothing; \/api\/v1\/openapi\.json lists/],
    ['DELETE', '/agents', undefined, 405, 'method-not-allowed', /takes GET, HEAD, got DELETE/],
    ['PATCH', '/monitors/door', {}, 405, 'method-not-allowed', /takes GET, HEAD, PUT, DELETE, got PATCH/],
    ['POST', '/openapi.json', undefined, 405, 'method-not-allowed', /takes GET, HEAD, got POST/],
    ['GET', '/monitors/none', undefined, 404, 'not-found', /there is no monitor "none"/],
    ['GET', '/monitors/%E0%A4%A', undefined, 404, 'not-found', /there is no monitor/],
    ['POST', '/monitors/none/run', undefined, 404, 'not-found', /there is no monitor "none"/],
    ['POST', '/agents/none/revoke', undefined, 404, 'not-found', /there is no agent "none"; there are: local/],
    ['POST', '/monitors', '{', 400, 'usage', /body: expected JSON/],
    ['POST', '/monitors', '[]', 400, 'usage', /^expected a mapping, got an empty list$/],
    ['POST', '/monitors', { type: 'tcp', target: 'localhost' }, 400, 'usage', /TCP needs port, and it is missing/],
    [
      'POST',
      '/monitors',
      { type: 'tpc', target: 'x:1' },
      400,
      'usage',
      /expected a check type, got "tpc"; did you mean tcp/,
    ],
    ['POST', '/monitors', { type: 'tcp', target: 'x:1', colour: 1 }, 400, 'usage', /colour: there is no such option/],
    ['POST', '/monitors', `"${'x'.repeat(1024 * 1024)}"`, 413, 'too-large', /at most 1048576 bytes/],
    ['POST', '/invites', { lifetimeMs: 1e9 }, 400, 'usage', /body\.lifetimeMs: .*3600000/],
    [
      'GET',
      '/tasks?colour=red',
      undefined,
      400,
      'usage',
      /there is no query parameter "colour"; there are: agent, monitor/,
    ],
    ['GET', '/tasks?agnet=a', undefined, 400, 'usage', /"agnet"; did you mean agent\?/],
    ['GET', '/tasks?agent=a&agent=b', undefined, 400, 'usage', /query parameter agent: expected one, got several/],
    ['GET', '/agents?x', undefined, 400, 'usage', /"x"; there are none here/],
    [
      'GET',
      '/tasks?limit=many',
      undefined,
      400,
      'usage',
      /query parameter limit: expected a whole number from 1 to 100000, got "many"/,
    ],
    [
      'GET',
      '/tasks/none/results?from=x&to=y',
      undefined,
      400,
      'usage',
      /path parameter task: expected the id of a task/,
    ],
    [
      'GET',
      `/tasks/${crypto.randomUUID()}/results?from=x&to=y`,
      undefined,
      400,
      'usage',
      /query parameter from: expected a time with its zone, .*, got "x"/,
    ],
    ['GET', `/tasks/${crypto.randomUUID()}/results`, undefined, 400, 'usage', /query parameter from: .*, got nothing/],
    // It holds every key: only the admin socket has it.
    ['GET', '/store/backup', undefined, 404, 'not-found', /there is no \/api\/v1\/store\/backup/],
    [
      'PUT',
      '/monitors/door',
      { type: 'tcp', target: 'x:1' },
      409,
      'conflict',
      /door is written in the configuration file/,
    ],
    ['DELETE', '/monitors/door', undefined, 409, 'conflict', /door is written in the configuration file/],
    [
      'POST',
      '/monitors',
      { name: 'door', type: 'tcp', target: 'x:1' },
      409,
      'conflict',
      /there is a monitor "door" already/,
    ],
  ];
  for (const [method, path, body, status, code, message] of mistakes) {
    const given = body === undefined ? '' : ` ${JSON.stringify(body).slice(0, 60)}`;
    test(`${method} ${path}${given} is answered ${status} ${code}`, async () => {
      const answer = await server.ask(method, path, body);
      assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
      assert.match(answer.body.detail, message);
    });
  }

  test('a monitor that is made, changed, paused, resumed and deleted reaches the agent within a second', async () => {
    const watching = new AbortController();
    const headers = { Authorization: `Bearer ${await server.token()}` };
    const stream = await fetch(`${server.url}/api/v1/events`, { headers, signal: watching.signal });
    assert.equal(stream.headers.get('content-type'), 'text/event-stream');
    assert.ok(stream.body);
    const events = readEvents(stream.body);
    const steps: readonly (readonly [string, string, object?])[] = [
      ['POST', '/monitors', definition('made')],
      ['PUT', '/monitors/made', definition('made', { interval: '2h' })],
      ['POST', '/monitors/made/pause'],
      ['POST', '/monitors/made/resume'],
      ['POST', '/monitors/door/pause'],
      ['POST', '/monitors/door/resume'],
      ['DELETE', '/monitors/made'],
    ];
    for (const [method, path, body] of steps) {
      const { value: next, lateMs } = await timed(async () => {
        const answer = await server.ask(method, path, body);
        assert.equal(answer.status, method === 'POST' && body ? 201 : 200, JSON.stringify(answer.body));
        let next = await events.next();
        while (!next.done && next.value.type !== 'tasks-applied') next = await events.next();
        return next;
      });
      assert.ok(!next.done && lateMs < 1000, `${method} ${path} took ${lateMs} ms`);
    }
    watching.abort();
    const { body } = await server.ask('GET', '/monitors');
    assert.deepEqual(
      body.monitors.map(({ name, origin, paused }: Record<string, unknown>) => [name, origin, paused]),
      [['door', 'file', false]],
    );
  });

  test('a monitor that is made runs, is shown as it is, and runs now when asked', async () => {
    const { body: made } = await server.ask('POST', '/monitors', definition('once', { agents: ['local'] }));
    const { body: shown } = await server.ask('GET', `/monitors/${made.monitor.id}`);
    // It may have run meanwhile.
    assert.deepEqual({ ...shown.monitor, states: made.monitor.states }, made.monitor);
    assert.deepEqual([shown.monitor.interval, shown.monitor.agents, shown.monitor.origin], ['1h', ['local'], 'api']);
    // On a busy machine the agent says of itself that it was late.
    await eventually('a run whose result is up', async () => {
      const { body: run } = await server.ask('POST', '/monitors/once/run?agent=local');
      const { body } = await server.ask('GET', '/tasks?monitor=once&agent=local');
      const { latest } = body.tasks[0];
      return latest?.taskId === run.runs[0].task && latest?.status === 'up';
    });
    await server.ask('DELETE', '/monitors/once');
    assert.equal((await server.ask('GET', '/monitors/once')).status, 404);
  });

  test('tasks come page by page where a limit is given', async () => {
    for (const name of ['p1', 'p2', 'p3']) await server.ask('POST', '/monitors', definition(name));
    const all: readonly { readonly id: string }[] = (await server.ask('GET', '/tasks')).body.tasks;
    const paged: { readonly id: string }[] = [];
    for (let page = paged; page.length > 0 || paged.length === 0;) {
      const after = paged.length === 0 ? '' : `&after=${paged.at(-1)?.id}`;
      page = (await server.ask('GET', `/tasks?limit=2${after}`)).body.tasks;
      assert.ok(page.length <= 2);
      paged.push(...page);
    }
    assert.deepEqual(idsOf(paged), idsOf(all));
    for (const name of ['p1', 'p2', 'p3']) await server.ask('DELETE', `/monitors/${name}`);
  });

  test('results are read by time, and summed up by minute, hour and day', async () => {
    const task = await eventually('a few results', async () => {
      const { body } = await server.ask('GET', '/tasks?monitor=door');
      const id = body.tasks[0].id as string;
      const all = await server.ask('GET', `/tasks/${id}/results?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z`);
      return all.body.results.length >= 3 ? { id, results: all.body.results } : undefined;
    });
    const [first, second, third] = task.results;
    const range = `from=${first.scheduledAt}&to=${third.scheduledAt}`;
    const { body } = await server.ask('GET', `/tasks/${task.id}/results?${range}`);
    assert.deepEqual(body.results, [first, second]);
    const limited = await server.ask('GET', `/tasks/${task.id}/results?${range}&limit=1`);
    assert.deepEqual(limited.body.results, [first]);
    assert.equal(limited.body.more, true);
    assert.deepEqual([body.more, body.next], [false, null]);
    const rest = await server.ask('GET', `/tasks/${task.id}/results?${range}&limit=1&after=${limited.body.next}`);
    assert.deepEqual([rest.body.results, rest.body.more, rest.body.next], [[second], false, null]);
    const zone = 'from=2020-01-01T00:00:00%2B02:00&to=2100-01-01T00:00:00Z';
    for (const resolution of ['minute', 'hour', 'day']) {
      const { body } = await server.ask('GET', `/tasks/${task.id}/summaries?${zone}&resolution=${resolution}`);
      const up = body.summaries.reduce((sum: number, summary: { up: number }) => sum + summary.up, 0);
      assert.ok(up >= 3, JSON.stringify(body));
      const { count, minMs, p50Ms, maxMs } = body.summaries[0].latency;
      assert.ok(count > 0 && minMs <= p50Ms && p50Ms <= maxMs, JSON.stringify(body.summaries[0]));
    }
  });

  test('/metrics can be read by Prometheus, whatever the names, and /healthz says ok, both without a token', async () => {
    const name = 'quote " back \\ line';
    await server.ask('POST', '/monitors', definition(name));
    await server.ask('POST', `/monitors/${encodeURIComponent(name)}/run`);
    // On a busy machine the agent may be late, and says so.
    const wanted = [
      /^probe_success\{monitor="quote \\" back \\\\ line",/m,
      /^probe_success\{monitor="door",type="tcp",target="127\.0\.0\.1:\d+",agent="local",agent_id="[-\da-f]+"\} 1$/m,
      /^watchkeeper_agent_up\{agent="local",agent_id="[-\da-f]+"\} 1$/m,
    ];
    const text = await eventually('its samples', async () => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      return wanted.every((line) => line.test(text)) && text;
    });
    const comment = /^# (?:HELP [a-z_]+ .+|TYPE [a-z_]+ (?:gauge|counter))$/;
    const sample =
      /^[a-z_]+(?:\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/;
    for (const line of text.trimEnd().split('\n')) assert.match(line, line.startsWith('#') ? comment : sample);
    const health = await fetch(`${server.url}/healthz`);
    assert.deepEqual([health.status, await health.json()], [200, { status: 'ok', problems: [], warnings: [] }]);
    await server.ask('DELETE', `/monitors/${encodeURIComponent(name)}`);
  });

  test('the admin socket is its user’s alone', async () => {
    assert.equal((await stat(join(server.data, 'admin.sock'))).mode & 0o777, 0o600);
    assert.equal((await stat(join(server.data, 'api-token'))).mode & 0o777, 0o600);
  });
});

test('an agent is found by its name or id, and one of several with a name by its id only', () => {
  const agents = [agentView('twin', { id: 'a' }), agentView('twin', { id: 'b' }), agentView('alone', { id: 'c' })];
  assert.equal(findAgent(agents, 'alone').id, 'c');
  assert.equal(findAgent(agents, 'b').id, 'b');
  assert.throws(() => findAgent(agents, 'twin'), /several agents are called "twin"; say which by its id: a, b/);
});

describe('a pause', () => {
  test('outlives the server, for monitors of the file and for others; what a definition pauses is resumed there', async () => {
    await using open = await tcpServer();
    const target = `"127.0.0.1:${open.port}"`;
    await using server = await Served.start(
      `monitors:\n  - { name: kept, type: tcp, target: ${target} }\n  - { name: off, type: tcp, target: ${target}, paused: true }\n`,
    );
    await server.ask('POST', '/monitors', { name: 'made', type: 'tcp', target: `127.0.0.1:${open.port}` });
    for (const name of ['kept', 'made'])
      assert.equal((await server.ask('POST', `/monitors/${name}/pause`)).body.monitor.paused, true);
    await server.stop();
    await server.startAgain();
    const paused = async (): Promise<unknown> => {
      const { body } = await server.ask('GET', '/monitors');
      return body.monitors.map(({ name, paused }: Record<string, unknown>) => [name, paused]);
    };
    assert.deepEqual(await paused(), [
      ['kept', true],
      ['off', true],
      ['made', true],
    ]);
    for (const name of ['kept', 'made']) await server.ask('POST', `/monitors/${name}/resume`);
    assert.deepEqual(await paused(), [
      ['kept', false],
      ['off', true],
      ['made', false],
    ]);
    const { status, body } = await server.ask('POST', '/monitors/off/resume');
    assert.equal(status, 409);
    assert.match(body.detail, /off is paused by its definition: change it there/);
  });
});

function idsOf(tasks: readonly { readonly id: string }[]): readonly string[] {
  return tasks.map(({ id }) => id).toSorted();
}
