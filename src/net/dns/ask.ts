import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Failure } from '../../core/failure.ts';
import type { DnsServer, Endpoint, Network, ResolveOptions } from '../../core/network.ts';
import type { DnsMessage } from '../packets/dns/message.ts';
import { encodeQuery, readReply, type DnsQuery } from './query.ts';
import { peerOf } from './server.ts';
import { exchangeOnStream } from './stream.ts';

/** What asking takes from the network; a check's own network keeps the egress policy. */
export interface DnsNetwork extends Pick<Network, 'exchangeDns'> {
  connect(endpoint: Endpoint, options: ResolveOptions): Promise<{ readonly socket: Socket }>;
}

export interface DnsReply {
  readonly message: DnsMessage;
  readonly bytes: number;
}

export interface Asking {
  readonly server: DnsServer;
  readonly signal: AbortSignal;
}

/** Asks once by UDP. The answer may be truncated. @throws {Failure} refused, unreachable, timeout, protocol, denied */
export async function askByUdp(net: DnsNetwork, asked: DnsQuery, { server, signal }: Asking): Promise<DnsReply> {
  const query = encodeQuery(asked);
  const reply = await net.exchangeDns(server, { query, signal });
  return { message: readReply(asked, { query, reply, peer: `${peerOf(server)} by UDP` }), bytes: reply.length };
}

/** Asks once by TCP, on a connection of its own. @throws {Failure} refused, reset, closed, timeout, protocol, denied */
export async function askByTcp(net: DnsNetwork, asked: DnsQuery, { server, signal }: Asking): Promise<DnsReply> {
  const { socket } = await net.connect({ host: server.address.ip, port: server.port }, { signal });
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
  const reply = await exchangeOnStream(stream, { query, peer, signal });
  return whole({ message: readReply(asked, { query, reply, peer }), bytes: reply.length }, peer);
}

/** A stream has room for any answer. */
export function whole(reply: DnsReply, peer: string): DnsReply {
  if (!reply.message.flags.includes('tc')) return reply;
  throw new Failure('protocol', `Expected a whole answer from ${peer}, got a truncated one.`);
}

/** Asks by UDP and, where the answer did not fit into a datagram, again by TCP (RFC 7766 section 5). */
export async function askByUdpOrTcp(net: DnsNetwork, asked: DnsQuery, asking: Asking): Promise<DnsReply> {
  const reply = await askByUdp(net, asked, asking);
  return reply.message.flags.includes('tc') ? askByTcp(net, asked, asking) : reply;
}
