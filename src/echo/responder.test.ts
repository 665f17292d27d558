import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { AppError } from '../core/errors.ts';
import { tcpServer } from '../testing/tcp-server.ts';
import { EchoResponder } from './responder.ts';

const host = '127.0.0.1';

async function open(port: number): Promise<Socket> {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  return socket;
}

describe('over TCP', () => {
  test('it sends back every byte, and closes after a client that has ended', async () => {
    await using responder = new EchoResponder({ host, tcp: 0 });
    const { tcp: port = 0 } = await responder.start();
    const socket = await open(port);
    const sent = Buffer.alloc(300_000, 'abc');
    socket.end(sent);
    assert.ok((await buffer(socket)).equals(sent));
    assert.deepEqual(responder.counters.tcpBytes, sent.length);
  });

  test('a client that does not read stops being read: nothing piles up', async () => {
    await using responder = new EchoResponder({ host, tcp: 0 });
    const { tcp: port = 0 } = await responder.start();
    const socket = (await open(port)).pause();
    // Writing goes on until no buffer on the way takes more; without back-pressure it would never end.
    const chunk = Buffer.alloc(1 << 20);
    let stuck = false;
    while (!stuck && socket.bytesWritten < 1 << 30) {
      if (socket.write(chunk)) continue;
      stuck = await Promise.race([once(socket, 'drain').then(() => false), settled(() => responder.counters.tcpBytes)]);
    }
    assert.ok(stuck);
    assert.ok(responder.counters.tcpBytes < 64 << 20, `${responder.counters.tcpBytes} bytes`);
    socket.destroy();
  });

  test('connections over the cap are refused and counted', async () => {
    await using responder = new EchoResponder({ host, tcp: 0, limits: { maxConnections: 1 } });
    const { tcp: port = 0 } = await responder.start();
    const first = await open(port);
    first.write('x');
    await once(first, 'data');
    const second = connect({ host, port });
    second.on('error', () => {});
    await once(second, 'close');
    assert.equal(responder.counters.connectionsRefused, 1);
    assert.equal(responder.counters.connections, 1);
    first.destroy();
  });

  test('an idle connection is closed', async () => {
    await using responder = new EchoResponder({ host, tcp: 0, limits: { idleMs: 20 } });
    const { tcp: port = 0 } = await responder.start();
    const socket = await open(port);
    await once(socket.resume(), 'close');
  });

  test('stopping closes every connection', async () => {
    const responder = new EchoResponder({ host, tcp: 0, udp: 0 });
    const { tcp: port = 0 } = await responder.start();
    const socket = await open(port);
    socket.on('error', () => {});
    const closed = once(socket.resume(), 'close');
    await responder.stop();
    await closed;
  });
});

/** True once a figure has not moved for a while. */
async function settled(figure: () => number): Promise<true> {
  for (let before = -1; before !== figure();) {
    before = figure();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}

describe('over UDP', () => {
  test('a datagram from its own port number is not answered, so that two responders never loop', async () => {
    await using responder = new EchoResponder({ host, udp: 0 });
    const { udp: port = 0 } = await responder.start();
    const twin = createSocket('udp4');
    twin.bind(port, '127.0.0.2');
    await once(twin, 'listening');
    twin.send('loop', port, host);
    const client = createSocket('udp4');
    client.send('hello', port, host);
    await once(client, 'message');
    assert.equal(responder.counters.datagrams, 2);
    assert.equal(responder.counters.datagramsDropped, 1);
    twin.close();
    client.close();
  });

  test('two live responders pointed at each other stop when the burst is used up', async () => {
    await using one = new EchoResponder({ host, udp: 0 });
    await using other = new EchoResponder({ host, udp: 0 });
    const { udp: onePort = 0 } = await one.start();
    const { udp: otherPort = 0 } = await other.start();
    // In the place of a forged source: what one says comes to the other, from a port that is neither's.
    const between = createSocket('udp4').on('message', (datagram, { port }) =>
      between.send(datagram, port === onePort ? otherPort : onePort, host),
    );
    between.send('loop', onePort, host);
    const dropped = (): number => one.counters.datagramsDropped + other.counters.datagramsDropped;
    while (dropped() === 0) await new Promise(setImmediate);
    const { datagrams } = one.counters;
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    assert.deepEqual([one.counters.datagrams, dropped()], [datagrams, 1]);
    between.close();
  });

  test('one source is answered at its rate and no faster', async () => {
    const limits = { perSource: { perSecond: 0.001, burst: 3 } };
    await using responder = new EchoResponder({ host, udp: 0, limits });
    const { udp: port = 0 } = await responder.start();
    const client = createSocket('udp4');
    for (let count = 0; count < 10; count++) client.send(`${count}`, port, host);
    while (responder.counters.datagrams < 10) await new Promise(setImmediate);
    assert.equal(responder.counters.datagramsDropped, 7);
    client.close();
  });
});

test('a port that is taken is an error that says which, and leaves nothing open', async () => {
  await using taken = await tcpServer();
  const responder = new EchoResponder({ host, udp: 0, tcp: taken.port });
  await assert.rejects(responder.start(), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'unavailable');
    assert.match(error.message, new RegExp(`TCP 127\\.0\\.0\\.1:${taken.port} \\(EADDRINUSE\\)`));
    return true;
  });
});
