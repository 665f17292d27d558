import type { Clock } from '../core/clock.ts';
import { Failure } from '../core/failure.ts';
import type { Address, QueryChannel, QueryOptions, QueryProtocol } from '../core/network.ts';
import { SystemError } from '../sys/libc.ts';
import { socketFailure } from './dial/socket-failure.ts';
import { EchoChannels } from './icmp/echo-channels.ts';
import { openSystemPing } from './icmp/system-ping.ts';
import { TcpProbes } from './traceroute/tcp-probes.ts';
import { UdpProbes } from './traceroute/udp-probes.ts';

/** A channel before it is known how long its name took to resolve. */
type OpenedChannel = Omit<QueryChannel, 'resolveMs'>;

interface AddressedTarget {
  readonly protocol: QueryProtocol;
  readonly address: Address;
  readonly port?: number | undefined;
}

/** Opens channels for numbered packets. One per process: concurrent ICMP channels share sockets. */
export class Queries {
  readonly #clock: Clock;
  readonly #echoes: EchoChannels;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#echoes = new EchoChannels(clock);
  }

  /** @throws {Failure} unsupported, unreachable */
  open({ protocol, address, port = 0 }: AddressedTarget, options: QueryOptions): OpenedChannel {
    if (protocol === 'icmp') return this.#openIcmp(address, options);
    const Channels = protocol === 'udp' ? UdpProbes : TcpProbes;
    try {
      return new Channels({ ...address, port }, options, this.#clock).channel();
    } catch (error) {
      if (error instanceof SystemError) throw socketFailure(error, `Opening a socket to ${address.ip}`, 'machine');
      throw unlessOurMistake(error, protocol);
    }
  }

  #openIcmp(address: Address, options: QueryOptions): OpenedChannel {
    try {
      return this.#echoes.open(address, options);
    } catch (error) {
      if (error instanceof SystemError && !isMissingRight(error))
        throw socketFailure(error, `Opening an ICMP socket to ${address.ip}`, 'machine');
      // An invalid address is our own mistake.
      if (error instanceof TypeError) throw error;
      // Neither kind of socket is allowed, or this system has none that we know: the system's ping has its own rights.
      return openSystemPing(address, options, this.#clock);
    }
  }
}

function isMissingRight({ code }: SystemError): boolean {
  return ['EACCES', 'EPERM', 'EPROTONOSUPPORT'].includes(code);
}

function unlessOurMistake(error: unknown, protocol: QueryProtocol): unknown {
  // An invalid address.
  if (error instanceof TypeError) return error;
  const message = `This system lets us open no ${protocol.toUpperCase()} socket that hears ICMP errors; on Linux it would.`;
  return new Failure('unsupported', message, { cause: error });
}
