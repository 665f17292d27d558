import { isIP, type Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { Failure } from '../core/failure.ts';
import type {
  Address,
  AddressOverride,
  Connection,
  Dialled,
  DialOptions,
  Endpoint,
  UdpConnection,
  UdpReply,
} from '../core/network.ts';
import { formatEndpoint } from '../core/target.ts';
import { hasInterface } from './dial/has-interface.ts';
import { kernelConnectMs } from './dial/kernel-connect.ts';
import { dialTcp, dialUdp, type Dial } from './dial/dial.ts';
import type { EgressPolicy } from './dial/egress.ts';
import { firstToAnswer } from './dial/race.ts';
import type { Addresses, Resolver } from './resolve.ts';

interface AddressDiallerParts {
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly policy: EgressPolicy;
}

interface Place {
  readonly host: string;
  readonly port?: number | undefined;
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
    return await this.#dial(endpoint, options, {
      attempt: (address, signal) => connectTimed(address, { ...dialOf(endpoint, options), signal }, clock),
      discard: ({ socket }) => socket.destroy(),
    });
  }

  async udp(endpoint: Endpoint, options: DialOptions): Promise<UdpConnection> {
    return await this.#dial(endpoint, options, {
      attempt: async (address, signal) => ({
        socket: await dialUdp(address, { ...dialOf(endpoint, options), signal }),
      }),
      discard: ({ socket }) => socket.close(),
    });
  }

  async askUdp(endpoint: Endpoint, options: DialOptions & { readonly payload: Buffer }): Promise<UdpReply> {
    const { clock } = this.#parts;
    // Loaded when first wanted, as all that only some checks need.
    const { askUdp } = await import('./dial/ask-udp.ts');
    return await this.#dial(endpoint, options, {
      attempt: (address, signal) =>
        askUdp(address, { ...dialOf(endpoint, options), payload: options.payload, clock, signal }),
      discard: () => {},
    });
  }

  /** The addresses of an endpoint, in the order in which to try them. @throws {Failure} as `Resolver.resolveAll` */
  async addresses({ host, port }: Place, options: DialOptions): Promise<Addresses> {
    const { signal, source, overrides = [] } = options;
    const isOf = (one: AddressOverride): boolean => one.host === host && (one.port === undefined || one.port === port);
    const override = overrides.find(isOf);
    if (override) return [withZone(override.address)];
    // A name has to be reached by the IP version of the address that is sent from.
    const family = familyOf(source) ?? options.family ?? 'auto';
    const [first, ...others] = await this.#parts.resolver.resolveAll(host, { signal, family });
    return [withZone(first), ...others];
  }

  /** The first address of a name, if it is permitted. */
  async locate({ host, port }: Place, options: DialOptions): Promise<Dialled> {
    const { addresses, resolveMs } = await this.#resolve({ host, port }, options);
    const [address] = addresses;
    this.#parts.policy.permit(address, port);
    return { address, resolveMs };
  }

  async #resolve(endpoint: Place, options: DialOptions): Promise<{ addresses: Addresses; resolveMs: number }> {
    const { clock } = this.#parts;
    const startedMs = clock.monotonic();
    const addresses = await this.addresses(endpoint, options);
    return { addresses, resolveMs: clock.monotonic() - startedMs };
  }

  /** The value of the first attempt that succeeds; a failure carries the address and the time of the lookup. */
  async #dial<T>(
    { host, port }: Endpoint,
    options: DialOptions,
    { attempt, discard }: Dialling<T>,
  ): Promise<Dialled & T> {
    const { clock, policy } = this.#parts;
    const { addresses, resolveMs } = await this.#resolve({ host, port }, options);
    try {
      const { value, address, tried } = await firstToAnswer(
        options.addresses === 'first' ? addresses.slice(0, 1) : addresses,
        {
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
        },
      );
      return { ...value, address, resolveMs, ...(tried && { tried }) };
    } catch (error) {
      throw error instanceof Failure ? error.with({ metrics: { resolveMs } }) : error;
    }
  }
}

function dialOf({ port }: Endpoint, { source, dscp }: DialOptions) {
  return { port, source, dscp };
}

function familyOf(source = ''): '4' | '6' | undefined {
  const version = isIP(source);
  return version === 4 ? '4' : version === 6 ? '6' : undefined;
}

/** Connects, and says how long that took: by the kernel, or by our clock where the kernel cannot say. */
async function connectTimed(
  address: Address,
  dial: Dial,
  clock: Clock,
): Promise<{ socket: Socket; connectMs: number }> {
  const startedMs = clock.monotonic();
  const socket = await dialTcp(address, dial);
  return { socket, connectMs: kernelConnectMs(socket) ?? clock.monotonic() - startedMs };
}

/** The address, if its zone is an interface of this machine: the kernel would take another one. @throws {Failure} unreachable */
function withZone(address: Address): Address {
  const [, zone] = address.ip.split('%');
  if (zone === undefined || hasInterface(zone)) return address;
  const message = `${address.ip} cannot be reached: this machine has no network interface ${zone}.`;
  throw new Failure('unreachable', message, {
    as: { status: 'unknown', source: 'agent' },
    detail: { address: address.ip },
  });
}
