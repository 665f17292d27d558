import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import type { Clock } from '../../core/clock.ts';
import type { Address, Family } from '../../core/network.ts';
import { isLoopback } from '../../core/target.ts';
import { sourceAddressOf } from '../../sys/source-address.ts';
import type { SourceAddress } from './address-order.ts';

/** Listing interfaces takes longer than a lookup in the cache. */
const listAgainMs = 1000;

/** The addresses of this machine: which families it can use, and from which address it would send. */
export class OwnAddresses {
  readonly #clock: Clock;
  #listed: readonly NetworkInterfaceInfo[] = [];
  #listedAtMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The families of which this machine has an address beyond loopback; both if it has none at all (as AI_ADDRCONFIG). */
  families(): readonly Family[] {
    const found = ([4, 6] as const).filter((family) => this.#beyondLoopback(family));
    return found.length > 0 ? found : [4, 6];
  }

  /** The address from which the kernel would send; undefined if there is no route. */
  sourceOf(destination: Address): SourceAddress | undefined {
    const ip = this.#askKernel(destination);
    if (ip === undefined) return undefined;
    const own = this.#list().find(({ address }) => address === ip);
    return { ip, prefixBits: Number(own?.cidr?.split('/')[1] ?? (destination.family === 4 ? 32 : 128)) };
  }

  #askKernel(destination: Address): string | undefined {
    try {
      return sourceAddressOf(destination);
    } catch {
      // No FFI here: an address of that family counts as a route.
      return this.#beyondLoopback(destination.family)?.address;
    }
  }

  #beyondLoopback(family: Family): NetworkInterfaceInfo | undefined {
    // A loopback interface may have other addresses too, by which the machine is reached.
    return this.#list().find((own) => own.family === `IPv${family}` && !isLoopback(own.address));
  }

  #list(): readonly NetworkInterfaceInfo[] {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#listedAtMs < listAgainMs) return this.#listed;
    this.#listedAtMs = nowMs;
    return (this.#listed = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses));
  }
}
