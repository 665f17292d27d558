import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { tcpServer } from '../../testing/tcp-server.ts';
import { Incoming } from './incoming.ts';

test('MU31: a reset after the connection was handed on ends nothing', async () => {
  await using server = await tcpServer((socket) => {
    socket.write('hello\n');
    socket.once('data', () => socket.resetAndDestroy());
  });
  const socket = connect(server.port, '127.0.0.1');
  const incoming = new Incoming(socket, 100);
  const waiting = { signal: AbortSignal.timeout(5000), doing: 'Waiting' };
  await incoming.until((bytes) => (bytes.includes('\n') ? true : undefined), waiting);
  incoming.release();
  assert.equal(socket.listenerCount('data'), 0);
  // An error that nobody listens for would be thrown, and fail this test as it would end the process.
  const closed = new Promise<boolean>((resolve) => socket.once('close', resolve));
  socket.resume().write('reset me');
  assert.equal(await closed, true);
});
