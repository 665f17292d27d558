import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { httpServer } from '../../src/testing/http-server.ts';
import { Served } from './served.ts';

test('A11: a server asks for the URL of deadman, and never says it', async () => {
  const owner = await httpServer((_request, response) => response.end('ok'));
  const path = '/ping/5b1c0d0e-secret';
  await using server = await Served.start(`deadman: { url: '${owner.origin}${path}', interval: 10s }`, {
    localAgent: false,
  });
  await eventually('it was asked for', () => owner.requests.length > 0);
  assert.equal(owner.requests[0]?.url, path);
  await owner[Symbol.asyncDispose]();
  await eventually('the operator is told', () => /dead-man's URL could not be asked for/.test(server.said), 30_000);
  assert.ok(!server.said.includes('secret'), server.said);
});
