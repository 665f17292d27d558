import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { checkModules } from '../../src/checks/modules.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { tcpServer, type TestServer } from '../../src/testing/tcp-server.ts';
import { Served } from './served.ts';

/** The place of an answer in the document, as a JSON pointer. */
function responseOf(path: string, status: number): string {
  return `/paths/${path.replaceAll('/', '~1')}/get/responses/${status}`;
}

describe('the description of the HTTP interface', () => {
  let open: TestServer;
  let server: Served;
  // oxlint-disable-next-line typescript/no-explicit-any -- a document, looked at from outside
  let document: any;
  const schemas = new Ajv2020({ strict: false, validateFormats: false });

  before(async () => {
    open = await tcpServer();
    server = await Served.start(
      `monitors:\n  - { name: door, type: tcp, target: "127.0.0.1:${open.port}", interval: 1s }\n`,
    );
    document = (await server.ask('GET', '/openapi.json')).body;
    schemas.addSchema(document, 'api');
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await open[Symbol.asyncDispose]();
  });

  /** What a JSON Schema of the document says against a value; empty if it fits. */
  function faults(pointer: string, value: unknown): string {
    const validate = schemas.compile({ $ref: `api#${pointer}` });
    return validate(value) ? '' : schemas.errorsText(validate.errors);
  }

  test('SI8: is valid OpenAPI 3.1, with servers and named schemas', async () => {
    const result = await new Validator().validate(document);
    assert.deepEqual(result.errors ?? [], []);
    assert.match(document.openapi, /^3\.1\.\d+$/);
    assert.deepEqual(
      document.servers.map(({ url }: { url: string }) => url),
      ['/api/v1'],
    );
    for (const name of ['Agent', 'Monitor', 'MonitorDefinition', 'Task', 'Result', 'Summary', 'Alarm', 'Problem'])
      assert.ok(document.components.schemas[name], name);
    const operations = Object.values<object>(document.paths).flatMap((methods) => Object.values(methods));
    const names = operations.map(({ operationId }: { operationId: string }) => operationId);
    assert.equal(new Set(names).size, names.length);
  });

  test('SI8: refers to nothing that is not there, and says nothing in words of our own', () => {
    const text = JSON.stringify(document);
    for (const [, pointer = ''] of text.matchAll(/"\$ref":"#([^"]+)"/g))
      assert.ok(
        pointer
          .split('/')
          .slice(1)
          .reduce((inside, key) => inside?.[key], document),
        pointer,
      );
    assert.doesNotMatch(text, /\$defs|minimumMs|"format":"(?!date-time|uuid|uri)/);
  });

  test('SI8: every check type has a monitor body of its own, which takes what the server takes', async () => {
    for (const { type } of checkModules) {
      const name = type.replace(/^./, (letter) => letter.toUpperCase());
      assert.ok(
        document.components.schemas[`${name}Monitor`].properties.options.$ref.endsWith(`/${name}Options`),
        type,
      );
    }
    const definition = '/components/schemas/MonitorDefinition';
    const good = { name: 'web', type: 'https', target: 'https://x/', interval: '10s', options: { timeout: 3 } };
    assert.match(faults(definition, good), /timeout|additional/, 'an option that http does not have');
    const { options: _options, ...plain } = good;
    for (const monitor of [plain, { type: 'tcp', options: { host: 'x', port: 1 }, agents: ['a'], paused: true }]) {
      assert.equal(faults(definition, monitor), '', JSON.stringify(monitor));
      const made = await server.ask('POST', '/monitors', { ...monitor, name: `made ${monitor.type}` });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      await server.ask('DELETE', `/monitors/${made.body.monitor.id}`);
    }
    for (const wrong of [{}, { type: 'tpc' }, { ...plain, interval: true }, { ...plain, colour: 1 }])
      assert.notEqual(faults(definition, wrong), '', JSON.stringify(wrong));
  });

  test('SI8: answers fit it, good ones and problems', async () => {
    const id = await eventually('a result', async () => {
      const [task] = (await server.ask('GET', '/tasks')).body.tasks;
      return task?.latest ? (task.id as string) : undefined;
    });
    const ever = 'from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z';
    const asked: readonly (readonly [string, string])[] = [
      ['/agents', '/agents'],
      ['/monitors', '/monitors'],
      ['/monitors/{monitor}', '/monitors/door'],
      ['/monitors/{monitor}', '/monitors/none'],
      ['/tasks', '/tasks'],
      ['/tasks', '/tasks?agent=none'],
      ['/tasks', '/tasks?limit=0'],
      ['/tasks/{task}/results', `/tasks/${id}/results?${ever}`],
      ['/tasks/{task}/results', '/tasks/none/results'],
      ['/tasks/{task}/summaries', `/tasks/${id}/summaries?${ever}`],
      ['/records', `/records?${ever}`],
      ['/alarms', '/alarms'],
    ];
    for (const [path, asks] of asked) {
      const { status, body } = await server.ask('GET', asks);
      const response = document.paths[path].get.responses[status];
      assert.ok(response, `${asks} was answered ${status}`);
      const place = response.$ref?.slice(1) ?? responseOf(path, status);
      const type = status === 200 ? 'application~1json' : 'application~1problem+json';
      assert.equal(faults(`${place}/content/${type}/schema`, body), '', asks);
    }
  });

  test('SI8: a problem is one of RFC 9457, by its media type too', async () => {
    const headers = { Authorization: `Bearer ${await server.token()}` };
    const response = await fetch(`${server.url}/api/v1/monitors/none`, { headers });
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    assert.deepEqual(await response.json(), {
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'there is no monitor "none"',
      code: 'not-found',
    });
  });

  test('SI8: HEAD is GET without the body, of events too; other methods are told which there are', async () => {
    const headers = { Authorization: `Bearer ${await server.token()}` };
    for (const path of ['/monitors', '/openapi.json', '/events', '/monitors/none']) {
      const [head, get] = await Promise.all(
        ['HEAD', 'GET'].map((method) => fetch(`${server.url}/api/v1${path}`, { method, headers })),
      );
      assert.ok(head && get);
      assert.deepEqual(
        [head.status, head.headers.get('content-type')],
        [get.status, get.headers.get('content-type')],
        path,
      );
      assert.equal(await head.text(), '');
      await get.body?.cancel();
    }
    for (const method of ['PATCH', 'OPTIONS', 'DELETE']) {
      const response = await fetch(`${server.url}/api/v1/tasks`, { method, headers });
      assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD'], method);
      await response.body?.cancel();
    }
  });

  test('SI8: a body that is not JSON is refused by its type', async () => {
    const token = await server.token();
    for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      const headers = { Authorization: `Bearer ${token}`, ...(type && { 'Content-Type': type }) };
      const body = new TextEncoder().encode('{}');
      const response = await fetch(`${server.url}/api/v1/monitors`, { method: 'POST', headers, body });
      assert.deepEqual([response.status, response.headers.get('accept')], [415, 'application/json'], type ?? 'none');
      await response.body?.cancel();
    }
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'Application/JSON; charset=utf-8' };
    const made = await fetch(`${server.url}/api/v1/monitors`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ name: 'typed', type: 'tcp', target: `127.0.0.1:${open.port}` }),
    });
    assert.equal(made.status, 201);
    const where = made.headers.get('location') ?? '';
    const got = await fetch(server.url + where, { headers });
    assert.deepEqual(await got.json(), await made.json());
  });
});
