import type { Clock } from '../core/clock.ts';
import type { Address, QueryChannel, QueryOptions, QueryProtocol } from '../core/network.ts';
import { EchoChannels } from './icmp/echo-channels.ts';
import { openSystemPing } from './icmp/system-ping.ts';

/** A channel before it is known how long its name took to resolve. */
export type OpenedChannel = Omit<QueryChannel, 'resolveMs'>;

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

  open({ address }: AddressedTarget, options: QueryOptions): OpenedChannel {
    return this.#openIcmp(address, options);
  }

  #openIcmp(address: Address, options: QueryOptions): OpenedChannel {
    try {
      return this.#echoes.open(address, options);
    } catch {
      // Neither kind of socket is allowed, or this system has none that we know: the system's ping has its own rights.
      return openSystemPing(address, options, this.#clock);
    }
  }
}
