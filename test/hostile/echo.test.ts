import { tcpServer } from '../../src/testing/tcp-server.ts';
import { udpServer, type Reply } from '../../src/testing/udp-server.ts';
import { hostileCases, writeForever, type HostileCase } from './cases.ts';

const many = { count: 10, interval: '1ms' };

/** The fault at a distance of so many datagrams. */
function every(distance: number, act: (datagram: Buffer, reply: Reply) => void): HostileCase['serve'] {
  let seen = 0;
  return () => udpServer((datagram, reply) => (++seen % distance === 0 ? act(datagram, reply) : reply(datagram)));
}

function upperCase(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString().toUpperCase());
}

hostileCases('echo', {
  'changes what was sent': {
    serve: () => tcpServer((socket) => socket.on('data', (bytes: Buffer) => socket.write(upperCase(bytes)))),
    expect: 'assertion',
    message: /^Expected "Hello!" back, got "HELLO!"\.$/,
  },
  'sends everything twice': {
    serve: () =>
      tcpServer((socket) => socket.on('data', (bytes: Buffer) => socket.write(Buffer.concat([bytes, bytes])))),
    options: many,
    expect: 'assertion',
  },
  'drips what was sent': {
    serve: () =>
      tcpServer((socket) =>
        socket.on('data', (bytes: Buffer) => {
          for (const [index, byte] of bytes.entries()) setTimeout(() => socket.write(Uint8Array.of(byte)), index);
        }),
      ),
    expect: 'up',
  },
  'keeps the last byte': {
    serve: () => tcpServer((socket) => socket.on('data', (bytes: Buffer) => socket.write(bytes.subarray(1)))),
    timeoutMs: 300,
    expect: 'timeout',
    message: /^Waiting for echo 1 of 1/,
  },
  'closes at the second message': {
    serve: () =>
      tcpServer((socket) => {
        socket.once('data', (bytes) => socket.write(bytes, () => socket.once('data', () => socket.end())));
      }),
    options: many,
    expect: 'closed',
    message: /^Waiting for echo 2 of 10/,
  },
  'resets at once': { serve: () => tcpServer((socket) => socket.resetAndDestroy()), expect: 'reset' },
  'never stops sending': {
    serve: () => tcpServer((socket) => writeForever(socket, Buffer.alloc(65_536, 'x'))),
    expect: 'assertion',
  },
  'changes datagrams': {
    serve: every(5, (datagram, reply) => reply(upperCase(datagram))),
    options: { ...many, protocol: 'udp' },
    expect: 'assertion',
    message: /got "HELLO! /,
  },
  'doubles datagrams': {
    serve: every(1, (datagram, reply) => (reply(datagram), reply(datagram))),
    options: { ...many, protocol: 'udp' },
    expect: 'up',
  },
  'answers out of order': {
    serve: every(3, (datagram, reply) => reply(datagram, 20)),
    options: { ...many, protocol: 'udp' },
    expect: 'up',
  },
  'answers one message with a thousand': {
    serve: () =>
      udpServer((_, reply) => {
        for (let count = 0; count < 1000; count++) reply(Buffer.alloc(1400, 'x'));
      }),
    options: { protocol: 'udp' },
    expect: 'assertion',
  },
  'answers nothing': { serve: () => udpServer(), options: { protocol: 'udp', wait: '200ms' }, expect: 'timeout' },
});
