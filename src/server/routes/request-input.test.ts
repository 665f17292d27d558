import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { assertPeriod, givenTime } from '../../core/iso-time.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { createApp } from './app.ts';
import { Audit } from './audit.ts';
import { listParameter, wholeParameter } from './parameters.ts';
import { defineRoute } from './route.ts';
import { taskId } from './tasks.ts';

const routes = [
  defineRoute({
    name: 'ask',
    method: 'get',
    path: '/things',
    errors: [],
    summary: 'What was asked for',
    query: z.strictObject({
      limit: wholeParameter(1, 100).default(10),
      color: listParameter(['red', 'blue'], 'colors').optional(),
      task: taskId.optional(),
      from: givenTime.optional(),
      to: givenTime.optional(),
    }),
    response: z.looseObject({}),
    async handle({ query }) {
      assertPeriod(query);
      return query;
    },
  }),
  defineRoute({
    name: 'make',
    method: 'post',
    path: '/things',
    errors: [],
    summary: 'What was given',
    body: z.strictObject({ name: z.string(), of: z.looseObject({}).optional() }),
    response: z.looseObject({}),
    handle: async ({ body }) => body,
  }),
];

const app = createApp({
  routes,
  callers: undefined,
  version: '1',
  audit: new Audit({ clock: new FakeClock(), say: () => {}, addressOf: () => '' }),
  onInternalError: (error) => assert.fail(String(error)),
});

async function answer(request: Response | Promise<Response>): Promise<readonly [number, string]> {
  const response = await request;
  const body = (await response.json()) as { readonly detail?: string };
  return [response.status, body.detail ?? JSON.stringify(body)];
}

const ask = (query: string) => answer(app.request(`/api/v1/things?${query}`));
const make = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  answer(
    app.request('/api/v1/things', {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', ...headers },
    }),
  );

describe('a query', () => {
  for (const [query, expected] of [
    ['', '{"limit":10}'],
    ['limit=100', '{"limit":100}'],
    ['limit=007', '{"limit":7}'],
    ['color=red,%20blue', '{"limit":10,"color":["red","blue"]}'],
    // RFC 9562, section 4: hexadecimal digits have no case.
    ['task=01A2227E-A24B-73EB-A2DB-326D22740F79', '{"limit":10,"task":"01a2227e-a24b-73eb-a2db-326d22740f79"}'],
    ['from=1970-01-01T00:00:00Z&to=1970-01-01T01:00:00%2B01:00', '{"limit":10,"from":0,"to":0}'],
  ] as const)
    test(`${query} is ${expected}`, async () => assert.deepEqual(await ask(query), [200, expected]));

  for (const [query, expected] of [
    ['limit=', /limit: expected a whole number from 1 to 100, got ""/],
    ['limit=0', /from 1 to 100, got "0"/],
    ['limit=101', /from 1 to 100, got "101"/],
    ['limit=-1', /got "-1"/],
    ['limit=%2B5', /got "\+5"/],
    ['limit=+5', /got " 5"/],
    ['limit=1e1', /got "1e1"/],
    ['limit=0x10', /got "0x10"/],
    ['limit=5.0', /got "5\.0"/],
    ['limit=%D9%A5', /got "٥"/],
    ['limit=9007199254740993', /got "9007199254740993"/],
    ['color=', /color: expected colors of red, blue, with commas between them, got ""/],
    ['color=red,,blue', /got ""/],
    ['color=RED', /color: expected colors of red, blue, with commas between them, got "RED"$/],
    ['task=x', /task: expected the id of a task \(a UUID\), got "x"/],
    [
      'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z',
      /expected from to be before to, got 2026-01-02T00:00:00\.000Z and 2026-01-01T/,
    ],
  ] as const)
    test(`${query} is refused with what came`, async () => {
      const [status, detail] = await ask(query);
      assert.equal(status, 400);
      assert.match(detail, expected);
    });
});

describe('a body', () => {
  const name = '{"name":"é"}';
  for (const [what, body, headers] of [
    ['in UTF-8', name, {}],
    ['that says so', name, { 'Content-Type': 'application/json; charset=UTF-8' }],
    ['that says so in quotes', name, { 'Content-Type': 'Application/JSON;charset="utf-8"' }],
    ['behind a byte order mark (RFC 8259, section 8.1)', `\ufeff${name}`, {}],
    ['in no coding', name, { 'Content-Encoding': 'identity' }],
  ] as const)
    test(`${what} is read`, async () => assert.deepEqual(await make(body, headers), [200, name]));

  for (const [what, body, headers, status, expected] of [
    ['in another charset', name, { 'Content-Type': 'application/json; charset=utf-16' }, 415, /UTF-8, got "utf-16"/],
    ['that is packed', name, { 'Content-Encoding': 'gzip' }, 415, /without Content-Encoding, got "gzip"/],
    ['of another type', name, { 'Content-Type': 'text/json' }, 415, /application\/json, got "text\/json"/],
    ['in Latin-1', Buffer.from(name, 'latin1'), {}, 400, /no text in UTF-8/],
    ['that is cut', '{"name":', {}, 400, /expected JSON/],
    ['that is nothing', '', {}, 400, /expected JSON/],
    ['with a prototype', '{"name":"a","__proto__":{"x":1}}', {}, 400, /no such key: "__proto__"/],
    ['with a prototype inside', '{"name":"a","of":{"__proto__":1}}', {}, 400, /no such key: "__proto__"/],
    ['with an unknown key', '{"name":"a","constructor":1}', {}, 400, /constructor/],
  ] as const)
    test(`${what} is refused`, async () => {
      const [got, detail] = await make(body, headers);
      assert.equal(got, status);
      assert.match(detail, expected);
    });
});
