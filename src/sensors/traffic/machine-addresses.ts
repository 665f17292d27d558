import { broadcastOf } from './peer-class.ts';
import type { MachineEnds } from './peer-counter.ts';
import type { Interface } from './surroundings.ts';

/** A host without an address sends from and to these. */
const unspecified = ['0.0.0.0', '::'] as const;
/** A packet may still be on its way out when its address has been removed. */
const keptMs = 60_000;

/** The addresses by which packets are this machine's, those that it had within the last minute included. */
export class MachineAddresses {
  #lastSeenMs = new Map<string, number>();
  #below: ReadonlyMap<string, number> = new Map();
  #broadcasts: readonly string[] = [];
  #ports: readonly number[] = [];

  /** Takes the current interfaces; true if anything is different. */
  update(interfaces: readonly Interface[], loopback: readonly string[], nowMs: number): boolean {
    const before = JSON.stringify(this.current);
    this.#below = new Map(
      interfaces.flatMap(({ below, addresses }) =>
        below === undefined ? [] : addresses.map(({ address }) => [address, below] as const),
      ),
    );
    const present = [...loopback, ...interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address))];
    for (const address of present) this.#lastSeenMs.set(address, nowMs);
    for (const [address, seenMs] of this.#lastSeenMs) if (nowMs - seenMs > keptMs) this.#lastSeenMs.delete(address);
    this.#broadcasts = [...unspecified, ...interfaces.flatMap(({ addresses }) => addresses.flatMap(broadcastOf))];
    this.#ports = interfaces.flatMap(({ index, master }) => (master === undefined ? [] : index));
    return JSON.stringify(this.current) !== before;
  }

  /** Adds one that no interface has: routes may make whole networks local. */
  learn(address: string, nowMs: number): void {
    this.#lastSeenMs.set(address, nowMs);
  }

  has(address: string): boolean {
    return this.#lastSeenMs.has(address);
  }

  get current(): MachineEnds {
    const addresses = Array.from(this.#lastSeenMs.keys(), (address) => {
      const below = this.#below.get(address);
      return { address, ...(below !== undefined && { below }) };
    });
    return { addresses, broadcasts: this.#broadcasts, ports: this.#ports };
  }
}
