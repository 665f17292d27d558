import type { Socket } from 'node:net';
import { nextTurn, type Clock } from '../core/clock.ts';
import type { Network, QueryChannel, SecureConnection } from '../core/network.ts';
import { EgressPolicy } from './dial/egress.ts';
import { AddressDialler } from './address-dialler.ts';
import { DnsSockets } from './dns/sockets.ts';
import type { Queries } from './queries.ts';
import type { StartOptions } from './tls/tls.ts';
import { Resolver } from './resolve.ts';

interface NetworkParts {
  readonly clock: Clock;
  readonly resolver?: Resolver;
  readonly policy?: EgressPolicy;
}

/** The real network. One per process: it holds the resolver's cache and the egress policy. */
export function createNetwork({
  clock,
  resolver = new Resolver({ clock }),
  policy = new EgressPolicy(),
}: NetworkParts): Network {
  const dialler = new AddressDialler({ clock, resolver, policy });
  const dnsSockets = new DnsSockets();
  let queries: Promise<Queries> | undefined;

  return {
    resolve: (host, options) => resolver.resolve(host, options),
    resolveAll: (endpoint, options) => dialler.addresses(endpoint, options),
    reverse: (address, options) => resolver.reverse(address, options),
    dnsServers: () => resolver.servers,
    async exchangeDns(server, message) {
      policy.permit(server.address, server.port);
      return await dnsSockets.exchange(server, message);
    },
    permit: (address, port) => policy.permit(address, port),
    permitName: (name, proxy) => policy.permitName(name, proxy),
    connect: (endpoint, options) => dialler.tcp(endpoint, options),
    startTls: (socket, options): Promise<SecureConnection> => startTls(socket, options, clock),
    openUdp: (endpoint, options) => dialler.udp(endpoint, options),
    askUdp: (endpoint, options) => dialler.askUdp(endpoint, options),
    async openQueries({ protocol, host, port }, options): Promise<QueryChannel> {
      const { address, resolveMs } = await dialler.locate({ host, port }, options);
      const opened = await (queries ??= loadQueries(clock));
      options.signal.throwIfAborted();
      return await untilStamped({ ...opened.open({ protocol, address, port }, options), resolveMs }, options.signal);
    },
  };
}

type StartTls = (socket: Socket, options: StartOptions, clock: Clock) => Promise<SecureConnection>;
let loadedTls: StartTls | undefined;

/** Loaded when first wanted: most checks speak no TLS. */
const startTls: StartTls = async (...handshake) => {
  loadedTls ??= (await import('./tls/tls.ts')).startTls;
  return await loadedTls(...handshake);
};

/**
 * Linux begins to stamp packets a moment after the first socket has asked for it. An answer to a packet that was sent at
 * once would be timed by when this process reads it: milliseconds too late in a process that has just begun.
 */
async function untilStamped(channel: QueryChannel, signal: AbortSignal): Promise<QueryChannel> {
  await nextTurn();
  if (signal.aborted) channel[Symbol.dispose]();
  signal.throwIfAborted();
  return channel;
}

/** Loaded when first wanted: most checks need none of these sockets, which take longer to load than a connection takes. */
async function loadQueries(clock: Clock): Promise<Queries> {
  const loaded = await import('./queries.ts');
  return new loaded.Queries(clock);
}
