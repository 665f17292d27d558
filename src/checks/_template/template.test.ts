import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContext } from '../../testing/context.ts';
import { stand } from '../../testing/stand.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { checkContract } from '../check.contract.ts';
import { template } from './template.ts';

checkContract(template, {
  async answering() {
    const server = await tcpServer((socket) => socket.write('hello\r\n'));
    return stand({ host: server.host, port: server.port }, () => server[Symbol.asyncDispose]());
  },
  async silent() {
    const server = await tcpServer();
    return stand({ host: server.host, port: server.port }, () => server[Symbol.asyncDispose]());
  },
});

test('a closed port is down and says refused', async () => {
  const options = template.options.parse({ host: '127.0.0.1', port: await closedPort() });
  const outcome = await template.run(options, testContext());
  assert.equal(outcome.status, 'down');
  assert.equal(outcome.reason, 'refused');
});
