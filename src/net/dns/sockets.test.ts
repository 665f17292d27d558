import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { Failure } from '../../core/failure.ts';
import type { DnsServer } from '../../core/network.ts';
import { closedUdpPort } from '../../testing/udp-server.ts';
import { encodeQuery } from './query.ts';
import { DnsSockets } from './sockets.ts';

const query = (id?: number): Buffer =>
  encodeQuery({ question: { name: 'example.test', type: 'A' }, recursionDesired: true }, id);
const read = (datagram: Buffer): Buffer => datagram;
/** A lost datagram must not hold a test up. */
function limit(): AbortSignal {
  return AbortSignal.timeout(5000);
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWRAP').length;
}

/** Answers each datagram with itself, and tells from which ports they came. */
async function mirror() {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const ports: number[] = [];
  socket.on('message', (datagram, from) => {
    ports.push(from.port);
    socket.send(datagram, from.port, from.address);
  });
  const server: DnsServer = { address: { ip: '127.0.0.1', family: 4 }, port: socket.address().port };
  return { server, ports, [Symbol.dispose]: () => void socket.close() };
}

test('questions one after another come each from a port of its own', async () => {
  using peer = await mirror();
  const sockets = new DnsSockets();
  for (let index = 0; index < 10; index++)
    await sockets.exchange(peer.server, { query: query(), signal: limit(), read });
  assert.ok(new Set(peer.ports).size >= 9, peer.ports.join(' '));
});

test('questions at the same time share a port, at most a hundred of them, and each gets its own answer', async () => {
  using peer = await mirror();
  const sockets = new DnsSockets();
  const sent = Array.from({ length: 200 }, (_, id) => query(id));
  const replies = await Promise.all(
    sent.map((one) => sockets.exchange(peer.server, { query: one, signal: limit(), read })),
  );
  assert.deepEqual(replies, sent);
  assert.equal(new Set(peer.ports).size, 2);
});

test('two questions with one id at the same time do not share a port', async () => {
  using peer = await mirror();
  const sockets = new DnsSockets();
  await Promise.all([7, 7].map((id) => sockets.exchange(peer.server, { query: query(id), signal: limit(), read })));
  assert.equal(new Set(peer.ports).size, 2);
});

test('an ICMP error is told to all who wait, and the next question gets a new socket', async () => {
  const server: DnsServer = { address: { ip: '127.0.0.1', family: 4 }, port: await closedUdpPort() };
  const sockets = new DnsSockets();
  for (let round = 0; round < 2; round++) {
    const asked = Array.from({ length: 5 }, () => sockets.exchange(server, { query: query(), signal: limit(), read }));
    for (const settled of await Promise.allSettled(asked)) {
      assert.equal(
        settled.status === 'rejected' && settled.reason instanceof Failure && settled.reason.reason,
        'refused',
      );
    }
  }
});

test('a wait that is aborted ends with the reason, and leaves no socket open', async () => {
  const silentPeer = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silentPeer, 'listening');
  const server: DnsServer = { address: { ip: '127.0.0.1', family: 4 }, port: silentPeer.address().port };
  const before = openSockets();
  const controller = new AbortController();
  const asked = new DnsSockets().exchange(server, { query: query(), signal: controller.signal, read });
  await once(silentPeer, 'message');
  controller.abort(new Error('enough'));
  await assert.rejects(asked, { message: 'enough' });
  assert.equal(openSockets(), before);
  silentPeer.close();
});
