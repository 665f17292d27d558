import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Failure } from '../../core/failure.ts';
import type { DialOptions, DnsServer, Endpoint, Network, SocketSettings } from '../../core/network.ts';
import { encodeQuery, ReplyFilter, type DnsQuery, type DnsReply } from './query.ts';
import { peerOf } from './server.ts';
import { exchangeOnStream } from './stream.ts';

/** The part of the network that asking needs; a check's own network keeps the egress policy. */
export interface DnsNetwork extends Pick<Network, 'exchangeDns'> {
  connect(endpoint: Endpoint, options: DialOptions): Promise<{ readonly socket: Socket }>;
}

export interface Asking extends SocketSettings {
  readonly server: DnsServer;
  readonly signal: AbortSignal;
}

/** Asks once by UDP. The answer may be truncated. @throws {Failure} refused, unreachable, timeout, protocol, denied */
async function askByUdp(net: DnsNetwork, asked: DnsQuery, { server, ...waiting }: Asking): Promise<DnsReply> {
  const query = encodeQuery(asked);
  const filter = new ReplyFilter(asked, { query, peer: `${peerOf(server)} by UDP` });
  try {
    return await net.exchangeDns(server, { ...waiting, query, read: filter.read });
  } catch (error) {
    throw filter.failureOf(error);
  }
}

/** Asks once by TCP, on a connection of its own. @throws {Failure} refused, reset, closed, timeout, protocol, denied */
export async function askByTcp(net: DnsNetwork, asked: DnsQuery, { server, ...waiting }: Asking): Promise<DnsReply> {
  const { signal } = waiting;
  const { socket } = await net.connect({ host: server.address.ip, port: server.port }, waiting);
  try {
    return await askOnStream(socket, asked, { peer: `${peerOf(server)} by TCP`, signal });
  } finally {
    socket.destroy();
  }
}

/** Asks once on a connected stream. `peer` is who is asked and how, for messages. */
export async function askOnStream(
  stream: Duplex,
  asked: DnsQuery,
  { peer, signal }: { readonly peer: string; readonly signal: AbortSignal },
): Promise<DnsReply> {
  const query = encodeQuery(asked);
  const filter = new ReplyFilter(asked, { query, peer });
  try {
    return await exchangeOnStream(stream, { query, peer, signal, read: filter.read });
  } catch (error) {
    throw filter.failureOf(error);
  }
}

export interface ReplyByUdpOrTcp extends DnsReply {
  readonly protocol: 'udp' | 'tcp';
}

/** Asks by UDP and, where the answer did not fit into a datagram, again by TCP (RFC 7766 section 5). */
export async function askByUdpOrTcp(net: DnsNetwork, asked: DnsQuery, asking: Asking): Promise<ReplyByUdpOrTcp> {
  const reply = await askByUdp(net, asked, asking);
  if (!isTruncated(reply)) return { ...reply, protocol: 'udp' };
  try {
    return { ...(await askByTcp(net, asked, asking)), protocol: 'tcp' };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw error.with({ message: `The answer by UDP is truncated, and by TCP: ${error.message}` });
  }
}

/** On a stream, which has room for any answer, it breaks the rules. */
export function isTruncated({ message }: DnsReply): boolean {
  return message.flags.includes('tc');
}
