import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface TestServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

interface Place {
  readonly host?: string;
  /** A free one if zero. */
  readonly port?: number;
}

/** A TCP server on loopback that does with each connection what the test says. */
export async function tcpServer(
  onConnection: (socket: Socket) => void = () => {},
  { host = '127.0.0.1', port = 0 }: Place = {},
): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // A peer that resets is part of many tests and no error of this server.
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    host,
    // A listening TCP server has an AddressInfo.
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A loopback port on which nothing listens. */
export async function closedPort(): Promise<number> {
  await using server = await tcpServer();
  return server.port;
}
