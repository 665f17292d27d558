/** How many connections a listener holds open at once. */
export interface PlaceLimits {
  readonly all: number;
  /** Of them, those whose other end has not proved who it is. */
  readonly strangers: number;
  /** Of the strangers, those from one IPv4 address or one IPv6 /64. */
  readonly perNetwork: number;
}

/** The place of one connection. Each call has an effect once, and none after `leave`. */
export interface ConnectionPlace {
  /** The other end is proving who it is: it is no longer closed to make room. */
  hold(): void;
  /** The other end has proved who it is: it no longer counts as a stranger. */
  trust(): void;
  leave(): void;
}

interface Stranger {
  readonly close: () => void;
  isHeld: boolean;
}

const maxStrangers = 1000;
/** Descriptors for the store, its files, the local agent and the admin socket. */
const reservedDescriptors = 64;

/** Limits for a process that may have so many descriptors open. Strangers get half, so that they lock nobody out. */
export function placeLimitsFor(descriptors: number): PlaceLimits {
  const all = Math.max(16, descriptors - reservedDescriptors);
  const strangers = Math.min(maxStrangers, Math.floor(all / 2));
  return { all, strangers, perNetwork: Math.floor(strangers / 2) };
}

/**
 * Decides which connections stay when there is no room for more: the newest may be an agent, so the oldest stranger goes, of
 * the network that has the most. Connections whose other end is known are never closed for others.
 */
export class ConnectionPlaces {
  readonly #limits: PlaceLimits;
  /** Strangers by network, the oldest first. */
  readonly #strangers = new Map<string, Set<Stranger>>();
  #strangerCount = 0;
  #knownCount = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  get counts(): { readonly strangers: number; readonly known: number } {
    return { strangers: this.#strangerCount, known: this.#knownCount };
  }

  /** Undefined if there is no room. `isCrowded`: this connection is refused, or another was closed for it. */
  enter(
    address: string,
    close: () => void,
  ): { readonly place: ConnectionPlace | undefined; readonly isCrowded: boolean } {
    const network = networkOf(address);
    const { all, strangers, perNetwork } = this.#limits;
    const here = this.#strangers.get(network);
    let isCrowded = false;
    let hasRoom = true;
    if (here && here.size >= perNetwork) {
      isCrowded = true;
      hasRoom = closeOldest(here);
    } else if (this.#strangerCount >= strangers || this.#strangerCount + this.#knownCount >= all) {
      isCrowded = true;
      hasRoom = this.#bySize().some((group) => closeOldest(group));
    }
    return { place: hasRoom ? this.#take(network, close) : undefined, isCrowded };
  }

  #bySize(): readonly Set<Stranger>[] {
    return [...this.#strangers.values()].toSorted((one, other) => other.size - one.size);
  }

  #take(network: string, close: () => void): ConnectionPlace {
    const group = this.#strangers.getOrInsertComputed(network, () => new Set());
    let state: 'stranger' | 'known' | 'gone' = 'stranger';
    const stranger: Stranger = { isHeld: false, close: () => (leave(), close()) };
    group.add(stranger);
    this.#strangerCount++;
    const leaveStrangers = (): void => {
      this.#strangerCount--;
      group.delete(stranger);
      if (group.size === 0) this.#strangers.delete(network);
    };
    const leave = (): void => {
      if (state === 'stranger') leaveStrangers();
      if (state === 'known') this.#knownCount--;
      state = 'gone';
    };
    const trust = (): void => {
      if (state !== 'stranger') return;
      leaveStrangers();
      this.#knownCount++;
      state = 'known';
    };
    return { leave, trust, hold: () => void (stranger.isHeld = true) };
  }
}

/** False if none of them may be closed. */
function closeOldest(group: ReadonlySet<Stranger>): boolean {
  for (const stranger of group) {
    if (stranger.isHeld) continue;
    stranger.close();
    return true;
  }
  return false;
}

/** An IPv4 address, also one that is written as IPv6, or the /64 of an IPv6 address: whoever has one address there has them all. */
export function networkOf(address: string): string {
  const [bare = ''] = address.replace(/^::ffff:(?=\d+\.)/i, '').split('%', 1);
  if (!bare.includes(':')) return bare;
  const [start = [], end = []] = bare.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: Math.max(0, 8 - start.length - end.length) }, () => '0');
  return [...start, ...zeros, ...end].slice(0, 4).join(':');
}
