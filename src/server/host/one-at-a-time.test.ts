import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { eventually } from '../../testing/eventually.ts';
import { oneAtATime } from './one-at-a-time.ts';

async function listening(handle: RequestListener) {
  const server = createServer(oneAtATime(handle)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connections: () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('AT2: requests of one connection are handled one at a time', () => {
  test('those that are sent ahead are answered in order', async () => {
    let under = 0;
    let most = 0;
    let count = 0;
    await using server = await listening((_request, response) => {
      most = Math.max(most, ++under);
      setImmediate(() => {
        under--;
        response.end(`answer ${++count}`);
      });
    });
    const socket = connect(server.port, '127.0.0.1');
    let received = '';
    socket.setEncoding('utf8').on('data', (text: string) => (received += text));
    socket.write(request.repeat(10));
    await eventually('ten answers', () => received.includes('answer 10'));
    assert.deepEqual(
      received.match(/answer \d+/g),
      Array.from({ length: 10 }, (_, index) => `answer ${index + 1}`),
    );
    assert.equal(most, 1);
    socket.destroy();
  });

  test('whoever sends thousands ahead and reads nothing is cut off, and costs one answer', async () => {
    const page = Buffer.alloc(8 * 1024 * 1024);
    let made = 0;
    await using server = await listening((_request, response) => {
      made++;
      response.end(page);
    });
    const socket = connect(server.port, '127.0.0.1');
    const connected = once(socket, 'connect');
    socket.on('error', () => {});
    socket.write(request.repeat(3000));
    await connected;
    await eventually('the server has cut it off', async () => (await server.connections()) === 0);
    assert.ok(made <= 1, `${made} answers were made`);
    socket.destroy();
  });

  test('a request after an answer that was read is handled, however many went before', async () => {
    await using server = await listening((_request, response) => response.end('x'));
    for (let at = 0; at < 50; at++) assert.equal(await (await fetch(`http://127.0.0.1:${server.port}/`)).text(), 'x');
  });
});
