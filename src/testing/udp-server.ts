import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import type { TestServer } from './tcp-server.ts';

export type Reply = (datagram: Buffer, delayMs?: number) => void;

/** A UDP server on a free loopback port that does with each datagram what the test says. */
export async function udpServer(
  onDatagram: (datagram: Buffer, reply: Reply, from: RemoteInfo) => void = () => {},
  { host = '127.0.0.1', port = 0 } = {},
): Promise<TestServer> {
  const socket = createSocket('udp4');
  const timers = new Set<NodeJS.Timeout>();
  socket.on('message', (datagram, from) => {
    const send = (answer: Buffer): void => socket.send(answer, from.port, from.address);
    const reply: Reply = (answer, delayMs) =>
      void (delayMs === undefined ? send(answer) : timers.add(setTimeout(send, delayMs, answer)));
    onDatagram(datagram, reply, from);
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  return {
    host,
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer);
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** A loopback port on which no UDP socket listens. */
export async function closedUdpPort(): Promise<number> {
  await using server = await udpServer();
  return server.port;
}
