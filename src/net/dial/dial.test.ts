import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Failure } from '../../core/failure.ts';
import { closedPort, tcpServer } from '../../testing/tcp-server.ts';
import { dialTcp, dialUdp, socketFailure } from './dial.ts';

const loopback = { ip: '127.0.0.1', family: 4 } as const;

describe('dialTcp', () => {
  test('opens a connection to the address it was given', async () => {
    await using server = await tcpServer();
    const socket = await dialTcp(loopback, server.port, AbortSignal.timeout(5000));
    assert.equal(socket.remoteAddress, '127.0.0.1');
    socket.destroy();
  });

  test('a closed port is refused, and the message says where', async () => {
    const port = await closedPort();
    await assert.rejects(dialTcp(loopback, port, AbortSignal.timeout(5000)), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.reason, 'refused');
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}: refused.*ECONNREFUSED`));
      return true;
    });
  });

  test('an aborted signal opens nothing', async () => {
    const stopped = new DOMException('stopped', 'AbortError');
    await assert.rejects(dialTcp(loopback, 9, AbortSignal.abort(stopped)), stopped);
    await assert.rejects(dialUdp(loopback, 9, AbortSignal.abort(stopped)), stopped);
  });
});

describe('dialUdp', () => {
  test('an ICMP error that nobody waits for ends nothing', async () => {
    const socket = await dialUdp(loopback, await closedPort(), AbortSignal.timeout(5000));
    const heard = once(socket, 'message');
    socket.send('x');
    await assert.rejects(heard, { code: 'ECONNREFUSED' });
    socket.send('y');
    socket.close();
  });
});

test('an errno becomes a reason, and one that says nothing of the network stays as it is', () => {
  const table = [
    ['ECONNRESET', 'reset'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENETUNREACH', 'unreachable'],
    ['EADDRNOTAVAIL', 'unreachable'],
    ['ETIMEDOUT', 'timeout'],
    ['EACCES', 'denied'],
    ['EPERM', 'denied'],
  ] as const;
  for (const [code, reason] of table) {
    const failure = socketFailure(Object.assign(new Error(code), { code }), 'Connecting');
    assert.ok(failure instanceof Failure, code);
    assert.equal(failure.reason, reason);
  }
  const bug = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  assert.equal(socketFailure(bug, 'Connecting'), bug);
});
