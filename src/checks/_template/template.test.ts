import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContext } from '../../testing/context.ts';
import { stand, type Stand } from '../../testing/stand.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { checkContract } from '../check.contract.ts';
import { template } from './template.ts';

checkContract(template, { answering: () => serverThatSays('hello\r\n'), silent: () => serverThatSays('') });

async function serverThatSays(text: string): Promise<Stand> {
  const server = await tcpServer((socket) => socket.write(text));
  return stand({ host: server.host, port: server.port }, () => server[Symbol.asyncDispose]());
}

function run(options: object) {
  return template.run(template.options.parse({ host: '127.0.0.1', ...options }), testContext());
}

test('a closed port is down and says refused', async () => {
  const outcome = await run({ port: await closedPort() });
  assert.deepEqual([outcome.status, outcome.reason], ['down', 'refused'], outcome.message);
});

test('another greeting than the expected one is down, and both are said', async () => {
  await using server = await serverThatSays('go away\r\n');
  const outcome = await run({ ...server.options, contains: 'hello' });
  assert.deepEqual([outcome.status, outcome.reason], ['down', 'assertion']);
  assert.equal(outcome.message, 'Expected a greeting with "hello", got "go away".');
});
