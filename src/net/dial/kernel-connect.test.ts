import assert from 'node:assert/strict';
import { test } from 'node:test';
import { block } from '../../testing/busy.ts';
import { testContext } from '../../testing/context.ts';
import { tcpServer } from '../../testing/tcp-server.ts';

test('CH7: the time of a connection is the kernel’s, however long this process was busy meanwhile', async () => {
  await using server = await tcpServer();
  const { net, signal } = testContext();
  const connecting = net.connect({ host: '127.0.0.1', port: server.port }, { signal });
  // The address is known without I/O: after some turns of promises the first packet has left, and its answer is not read.
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  // The kernel shakes hands alone; a process that reads the answer late must not count that as the network's time.
  const busyMs = 500;
  block(busyMs);
  const { socket, connectMs } = await connecting;
  socket.destroy();
  assert.ok(connectMs > 0 && connectMs < busyMs, `${connectMs} ms`);
});
