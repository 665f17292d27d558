import type { CheckContext } from '../../core/check.ts';
import { socketOptionsOf } from '../../core/dial-options.ts';
import { Failure } from '../../core/failure.ts';
import type { QueryAnswer, QueryChannel, QueryProtocol } from '../../core/network.ts';
import type { TracerouteOptions } from './options.ts';

const payloadBytes = 32;

/** UDP: a port where usually nothing listens, so that the target reports it, as traceroute does. TCP: the port of the web. */
const usualPort = { icmp: undefined, udp: 33_434, tcp: 80 } as const;

const noSocket =
  'A traceroute by ICMP needs an ICMP socket, which this user may not open. Use UDP or TCP (--protocol udp), or allow ' +
  'it: sysctl -w net.ipv4.ping_group_range="0 2147483647".';

/** @throws {Failure} unsupported, if only ICMP is wanted and this user may open no such socket; and as `openQueries` */
export async function openProbeChannel(
  options: TracerouteOptions,
  { net, signal }: CheckContext,
  onAnswer: (answer: QueryAnswer) => void,
): Promise<QueryChannel> {
  const { host, protocol } = options;
  const open = (by: QueryProtocol): Promise<QueryChannel> => {
    const { port = usualPort[by] } = options;
    const target = { protocol: by, host, ...(port !== undefined && { port }) };
    return net.openQueries(target, { ...socketOptionsOf(options), size: payloadBytes, signal, onAnswer });
  };
  const channel = await open(protocol === 'auto' ? 'icmp' : protocol);
  if (channel.via !== 'ping') return channel;
  channel[Symbol.dispose]();
  if (protocol === 'auto') return await open('udp');
  throw new Failure('unsupported', noSocket);
}

/** A note that a trace uses another protocol than usual; undefined if it does not. */
export function fallbackOf({ protocol }: TracerouteOptions, { via }: QueryChannel): string | undefined {
  return protocol === 'auto' && via === 'udp' ? 'by UDP, because this user may open no ICMP socket' : undefined;
}
