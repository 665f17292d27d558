import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/failure.ts';
import type { Network, SecureConnection, TlsOptions } from '../../core/network.ts';
import { decodeContent } from '../http/content-coding.ts';
import { statusOf, type HttpResponse } from '../http/http.ts';
import { exchangeHttp1 } from '../http/http1.ts';
import { maxMessageBytes } from '../packets/dns/writer.ts';
import { askOnStream, type Asking } from './ask.ts';
import { encodeQuery, ReplyFilter, type DnsQuery, type DnsReply } from './query.ts';
import { peerOf } from './server.ts';

type SecureNetwork = Pick<Network, 'connect' | 'startTls'>;

export interface SecureAsking extends Asking {
  readonly tls: TlsOptions;
  /** Is told of the handshake once it is done. */
  readonly onSecure?: (secure: SecureConnection) => void;
}

export interface HttpsAsking extends SecureAsking {
  readonly clock: Clock;
  /** For the `host` header. */
  readonly host: string;
  readonly path: string;
}

/** Asks once over TLS (RFC 7858). @throws {Failure} tls-…, and as `askByTcp` */
export function askByTls(net: SecureNetwork, asked: DnsQuery, asking: SecureAsking): Promise<DnsReply> {
  const { server, signal } = asking;
  return onSecureSocket(net, asking, (socket) =>
    askOnStream(socket, asked, { peer: `${peerOf(server)} by TLS`, signal }),
  );
}

/**
 * Asks once over HTTPS (RFC 8484), HTTP/2 where the server has it. By GET alone: servers must know both methods (section
 * 4.1), and a GET is what passes their caches. @throws {Failure} tls-…, protocol, too-large, and as `askByTcp`
 */
export function askByHttps(net: SecureNetwork, asked: DnsQuery, asking: HttpsAsking): Promise<DnsReply> {
  const peer = `${peerOf(asking.server)} by HTTPS`;
  // Every implementation knows it under this id, so that a cache may hold the answer (RFC 8484 section 4.1).
  const query = encodeQuery(asked, 0);
  const tls = { ...asking.tls, alpn: ['h2', 'http/1.1'] };
  return onSecureSocket(net, { ...asking, tls }, async (socket, alpn) => {
    // Loaded when first spoken, as by the http check.
    const exchange = alpn === 'h2' ? (await import('../http/http2.ts')).exchangeHttp2 : exchangeHttp1;
    const response = await exchange(socket, requestOf(query, asking), {
      ...asking,
      peer,
      maxBodyBytes: maxMessageBytes,
    });
    const filter = new ReplyFilter(asked, { query, peer });
    const reply = filter.read(await messageOf(response, peer));
    if (!reply) throw filter.mismatch();
    return reply;
  });
}

function requestOf(query: Buffer, { path, host }: HttpsAsking) {
  const separator = path.includes('?') ? '&' : '?';
  return {
    method: 'GET',
    target: `${path}${separator}dns=${query.toString('base64url')}`,
    // The server is asked, not a cache before it.
    headers: { host, accept: 'application/dns-message', 'cache-control': 'no-cache' },
  };
}

async function messageOf(response: HttpResponse, peer: string): Promise<Buffer> {
  const type = response.headers.get('content-type') ?? 'none';
  if (response.status !== 200) throw new Failure('protocol', `Expected 200 from ${peer}, got ${statusOf(response)}.`);
  if (!/^application\/dns-message\b/i.test(type))
    throw new Failure(
      'protocol',
      `Expected application/dns-message from ${peer}, got content of type ${type.slice(0, 100)}.`,
    );
  const { bytes, isWhole } = await decodeContent(response, { peer, maxBodyBytes: maxMessageBytes });
  if (isWhole) return bytes;
  throw new Failure('too-large', `Expected a DNS message of at most ${maxMessageBytes} bytes from ${peer}, got more.`);
}

async function onSecureSocket<T>(
  net: SecureNetwork,
  { server, tls, signal, source, dscp, onSecure }: SecureAsking,
  work: (socket: Socket, alpn: string | undefined) => Promise<T>,
): Promise<T> {
  const { ip: host } = server.address;
  const { socket } = await net.connect({ host, port: server.port }, { signal, source, dscp });
  try {
    const secure = await net.startTls(socket, { ...tls, signal });
    onSecure?.(secure);
    try {
      return await work(secure.socket, secure.alpn);
    } finally {
      secure.socket.destroy();
    }
  } finally {
    socket.destroy();
  }
}
