import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { BoundedMap } from '../../core/bounded-map.ts';
import type { Clock } from '../../core/clock.ts';
import type { Address, Family } from '../../core/network.ts';
import { isLoopback } from '../../core/target.ts';
import { sourceAddressOf } from '../../sys/source-address.ts';
import type { SourceAddress } from './address-order.ts';

/** How long an answer of the kernel is used: asking takes longer than finding a name in the cache. */
const askAgainMs = 1000;
const maxSources = 5000;

/** Answers of the kernel, all of one time. */
interface Answers {
  readonly askedAtMs: number;
  readonly listed: readonly NetworkInterfaceInfo[];
  /** By destination; null without a route. */
  readonly sources: BoundedMap<string, SourceAddress | null>;
}

/** The addresses of this machine: which families it can use, and from which address it would send. */
export class OwnAddresses {
  readonly #clock: Clock;
  #last: Answers | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The families of which this machine has an address beyond loopback; both if it has none at all (as AI_ADDRCONFIG). */
  families(): readonly Family[] {
    const { listed } = this.#answers();
    const found = ([4, 6] as const).filter((family) => beyondLoopback(listed, family));
    return found.length > 0 ? found : [4, 6];
  }

  /** The address from which the kernel would send; undefined if there is no route. */
  sourceOf(destination: Address): SourceAddress | undefined {
    const { listed, sources } = this.#answers();
    const known = sources.get(destination.ip);
    if (known !== undefined) return known ?? undefined;
    const source = askSource(destination, listed);
    sources.set(destination.ip, source ?? null);
    return source;
  }

  #answers(): Answers {
    const nowMs = this.#clock.monotonic();
    if (this.#last && nowMs - this.#last.askedAtMs < askAgainMs) return this.#last;
    const listed = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
    return (this.#last = { askedAtMs: nowMs, listed, sources: new BoundedMap(maxSources) });
  }
}

function askSource(destination: Address, listed: readonly NetworkInterfaceInfo[]): SourceAddress | undefined {
  const ip = sourceByKernel(destination, listed);
  if (ip === undefined) return undefined;
  const own = listed.find(({ address }) => address === ip);
  return { ip, prefixBits: Number(own?.cidr?.split('/')[1] ?? (destination.family === 4 ? 32 : 128)) };
}

function sourceByKernel(destination: Address, listed: readonly NetworkInterfaceInfo[]): string | undefined {
  try {
    return sourceAddressOf(destination);
  } catch {
    // No FFI here: an address of that family counts as a route.
    return beyondLoopback(listed, destination.family)?.address;
  }
}

function beyondLoopback(listed: readonly NetworkInterfaceInfo[], family: Family): NetworkInterfaceInfo | undefined {
  // A loopback interface may have other addresses too, by which the machine is reached.
  return listed.find((own) => own.family === `IPv${family}` && !isLoopback(own.address));
}
