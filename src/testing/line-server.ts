import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { TestCertificate } from './certificates.ts';
import { tcpServer, type TestServer } from './tcp-server.ts';

/** What a server says to a line, or does with the connection. */
export type LineAnswer = (line: string, socket: Socket) => string | undefined;

/** A server that greets and answers each line; lines may come in pieces. */
export function lineServer(greeting: string, answer: LineAnswer = () => undefined): Promise<TestServer> {
  return tcpServer((socket) => serveLines(socket, greeting, answer));
}

export function serveLines(socket: Socket, greeting: string, answer: LineAnswer): void {
  if (greeting !== '') socket.write(greeting);
  let received = '';
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString();
    const lines = received.split('\n');
    received = lines.pop() ?? '';
    for (const line of lines) {
      const reply = answer(line.replace(/\r$/, ''), socket);
      if (reply !== undefined && !socket.destroyed) socket.write(reply);
    }
  });
}

/** Goes on in TLS on a connection, as a server. */
export function serveTls(socket: Socket, { certificate: cert, key }: TestCertificate): Socket {
  socket.removeAllListeners('data');
  const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ cert, key }) });
  return secure.on('error', () => {});
}
