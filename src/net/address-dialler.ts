import type { Clock } from '../core/clock.ts';
import { Failure } from '../core/failure.ts';
import type {
  Address,
  Connection,
  Dialled,
  DialOptions,
  Endpoint,
  ResolveOptions,
  UdpConnection,
} from '../core/network.ts';
import { formatEndpoint } from '../core/target.ts';
import { dialTcp, dialUdp } from './dial/dial.ts';
import type { EgressPolicy } from './dial/egress.ts';
import { firstToAnswer } from './dial/race.ts';
import type { Addresses, Resolver } from './resolve.ts';

interface AddressDiallerParts {
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly policy: EgressPolicy;
}

interface Dialling<T> {
  readonly attempt: (address: Address, signal: AbortSignal) => Promise<T>;
  readonly discard: (value: T) => void;
}

/** The only way from a name to a permitted address. */
export class AddressDialler {
  readonly #parts: AddressDiallerParts;

  constructor(parts: AddressDiallerParts) {
    this.#parts = parts;
  }

  async tcp(endpoint: Endpoint, options: DialOptions): Promise<Connection> {
    const { clock } = this.#parts;
    const { value, ...dialled } = await this.#dial(endpoint, options, {
      async attempt(address, signal) {
        const startedMs = clock.monotonic();
        const socket = await dialTcp(address, endpoint.port, signal);
        return { socket, connectMs: clock.monotonic() - startedMs };
      },
      discard: ({ socket }) => socket.destroy(),
    });
    return { ...dialled, ...value };
  }

  async udp(endpoint: Endpoint, options: DialOptions): Promise<UdpConnection> {
    const { value, ...dialled } = await this.#dial(endpoint, options, {
      attempt: (address, signal) => dialUdp(address, endpoint.port, signal),
      discard: (socket) => socket.close(),
    });
    return { ...dialled, socket: value };
  }

  /** The first address of a name, if it is permitted. */
  async locate(
    { host, port }: { readonly host: string; readonly port?: number | undefined },
    options: ResolveOptions,
  ): Promise<Dialled> {
    const { addresses, resolveMs } = await this.#resolve(host, options);
    const [address] = addresses;
    this.#parts.policy.permit(address, port);
    return { address, resolveMs };
  }

  async #resolve(host: string, options: ResolveOptions): Promise<{ addresses: Addresses; resolveMs: number }> {
    const { clock, resolver } = this.#parts;
    const startedMs = clock.monotonic();
    const addresses = await resolver.resolveAll(host, options);
    return { addresses, resolveMs: clock.monotonic() - startedMs };
  }

  /** The value of the first attempt that succeeds; a failure carries the address and the time of the lookup. */
  async #dial<T>(
    { host, port }: Endpoint,
    options: DialOptions,
    { attempt, discard }: Dialling<T>,
  ): Promise<Dialled & { readonly value: T }> {
    const { clock, policy } = this.#parts;
    const { addresses, resolveMs } = await this.#resolve(host, options);
    try {
      const won = await firstToAnswer(options.addresses === 'first' ? addresses.slice(0, 1) : addresses, {
        clock,
        signal: options.signal,
        doing: `Connecting to ${formatEndpoint({ host, port })}`,
        discard,
        async attempt(address, signal) {
          try {
            policy.permit(address, port);
            return await attempt(address, signal);
          } catch (error) {
            throw error instanceof Failure ? error.with({ detail: { address: address.ip } }) : error;
          }
        },
      });
      return { ...won, resolveMs };
    } catch (error) {
      throw error instanceof Failure ? error.with({ metrics: { resolveMs } }) : error;
    }
  }
}
