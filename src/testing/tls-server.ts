import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { systemClock, type Clock } from '../core/clock.ts';
import type { SecureConnection, TlsOptions as ClientOptions } from '../core/network.ts';
import { createNetwork } from '../net/network.ts';
import type { TestCertificate } from './certificates.ts';

export interface TlsTestServer extends AsyncDisposable {
  readonly port: number;
}

interface Serving extends TlsOptions {
  /** The OCSP response to send along. */
  readonly staple?: Buffer;
}

/** A TLS server on a free loopback port that answers every request with `200 OK` by HTTP. */
export async function tlsServer(options: Serving): Promise<TlsTestServer> {
  const sockets = new Set<Socket>();
  // A group that every client brings a share of: after a HelloRetryRequest a server of Node sends no OCSP response.
  const server = createServer({ ecdhCurve: 'X25519', ...options }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  });
  const { staple } = options;
  if (staple)
    server.on('OCSPRequest', (_certificate: Buffer, _issuer: Buffer, answer: (error: null, der: Buffer) => void) =>
      answer(null, staple),
    );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  });
  // A handshake that fails is part of many tests and no error of this server.
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // A listening server has an AddressInfo.
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** A certificate with those that are sent along, as a server presents them. */
export function presenting(own: TestCertificate, ...along: readonly TestCertificate[]): TlsOptions {
  return { cert: [own, ...along].map(({ certificate }) => certificate).join(''), key: own.key };
}

/** One handshake with a server on loopback, asked for as `localhost` unless told otherwise; the connection is closed again. */
export async function handshake(
  { port }: { readonly port: number },
  { clock = systemClock, ...options }: Partial<ClientOptions> & { readonly clock?: Clock } = {},
): Promise<SecureConnection> {
  const net = createNetwork({ clock });
  const signal = AbortSignal.timeout(10_000);
  const { socket } = await net.connect({ host: '127.0.0.1', port }, { signal });
  const asked = {
    serverName: 'localhost',
    verify: true,
    minVersion: 'TLSv1.2',
    ocsp: 'staple',
    resume: false,
  } as const;
  try {
    const secure = await net.startTls(socket, { ...asked, ...options, signal });
    // A ticket comes with the first bytes after the handshake.
    if (options.resume) {
      secure.socket.write('GET / HTTP/1.1\r\n\r\n');
      await once(secure.socket.resume(), 'end');
    }
    secure.socket.destroy();
    return secure;
  } finally {
    socket.destroy();
  }
}
