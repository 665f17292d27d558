import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../core/failure.ts';
import { eventually } from '../../testing/eventually.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { closedUdpPort } from '../../testing/udp-server.ts';
import { dialTcp, dialUdp } from './dial.ts';

const loopback = { ip: '127.0.0.1', family: 4 } as const;

describe('dialTcp', () => {
  test('opens a connection to the address it was given', async () => {
    await using server = await tcpServer();
    const socket = await dialTcp(loopback, { port: server.port, signal: AbortSignal.timeout(5000) });
    assert.equal(socket.remoteAddress, '127.0.0.1');
    socket.destroy();
  });

  test('a closed port is refused, and the message says where', async () => {
    const port = await closedPort();
    await assert.rejects(dialTcp(loopback, { port: port, signal: AbortSignal.timeout(5000) }), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.reason, 'refused');
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}: refused.*ECONNREFUSED`));
      return true;
    });
  });

  test('MU28: a connect that is aborted closes its socket', async () => {
    await using server = await tcpServer((socket) => socket.resume());
    const run = new AbortController();
    const dialled = dialTcp(loopback, { port: server.port, signal: run.signal });
    run.abort(new Error('stopped'));
    await assert.rejects(dialled, { message: 'stopped' });
    await eventually('no socket is open', () => !process.getActiveResourcesInfo().includes('TCPSocketWrap'));
  });

  test('an aborted signal opens nothing', async () => {
    const stopped = new DOMException('stopped', 'AbortError');
    await assert.rejects(dialTcp(loopback, { port: 9, signal: AbortSignal.abort(stopped) }), stopped);
    await assert.rejects(dialUdp(loopback, { port: 9, signal: AbortSignal.abort(stopped) }), stopped);
  });
});

describe('dialUdp', () => {
  test('MU29: an ICMP error that nobody waits for ends nothing', async () => {
    const socket = await dialUdp(loopback, { port: await closedUdpPort(), signal: AbortSignal.timeout(5000) });
    for (const text of ['heard', 'not heard']) {
      const told = Promise.withResolvers<NodeJS.ErrnoException>();
      // Beside the listener that dialUdp has added: without that one, an error that nobody waits for would be thrown.
      socket.once('error', told.reject);
      assert.equal(socket.listenerCount('error'), 2);
      socket.send(text);
      await assert.rejects(told.promise, { code: 'ECONNREFUSED' });
    }
    assert.equal(socket.listenerCount('error'), 1);
    socket.close();
  });
});
