import { BoundedMap } from '../../core/bounded-map.ts';
import type { Clock } from '../../core/clock.ts';
import type { SensorRecord } from '../../core/record.ts';
import { SystemError } from '../../sys/libc.ts';
import { NeighbourMacs } from './neighbour-macs.ts';
import { MachineAddresses } from './machine-addresses.ts';
import { PeerClasses } from './peer-class.ts';
import type { MachineEnds } from './peer-counter.ts';
import { SurroundingsLog } from './surroundings-log.ts';
import type { Interface, Surroundings } from './surroundings.ts';

interface StateParts {
  readonly surroundings: Surroundings;
  readonly clock: Clock;
  /** Networks that are intranet as well. */
  readonly networks: readonly string[];
  readonly record: (record: SensorRecord) => void;
  /** This machine has exchanged packets with it. */
  readonly isMet: (address: string) => boolean;
  /** The machine's own addresses are different now. */
  readonly onOwnChange: (own: MachineEnds) => void;
}

/** The gateways and DNS servers of the start, by role and IP version. */
type StartServices = ReadonlyMap<string, ReadonlySet<string>>;

const maxInterfaceNames = 4096;
/** Time for which what was read may be used again, so that a scan does not cause a reading for every peer. */
const freshMs = 20;

/** The machine's surroundings as they were read last, and what is recorded of their changes. */
export class NetworkState {
  readonly classes: PeerClasses;
  readonly macs: NeighbourMacs;
  readonly #parts: StateParts;
  readonly #own = new MachineAddresses();
  readonly #log: SurroundingsLog;
  #services: StartServices = new Map();
  #resolvers: ReadonlySet<string> = new Set();
  #gateways: ReadonlySet<string> = new Set();
  #interfaces: ReadonlyMap<number, Interface> = new Map();
  /** Includes interfaces that are gone, because peers were met there. */
  readonly #names = new BoundedMap<number, string>(maxInterfaceNames);
  #readAtMs = -Infinity;
  #isBlind = false;

  constructor(parts: StateParts) {
    this.#parts = parts;
    this.classes = new PeerClasses(parts.networks);
    this.#log = new SurroundingsLog(parts.record);
    const interfaceName = (index: number): string => this.interfaceName(index);
    this.macs = new NeighbourMacs({ record: parts.record, interfaceName, roleOf: (address) => this.#roleOf(address) });
    this.read();
  }

  get own(): MachineEnds {
    return this.#own.current;
  }

  get interfaces(): ReadonlyMap<number, Interface> {
    return this.#interfaces;
  }

  /** Reads everything, and records what is different. If the kernel refuses, what was read before stays; that is recorded once. */
  read(): void {
    try {
      this.#read();
      this.#isBlind = false;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (!this.#isBlind)
        this.#parts.record({ event: 'lost', message: `changes of the surroundings (${error.message})` });
      this.#isBlind = true;
    }
  }

  #read(): void {
    const { surroundings, clock, onOwnChange } = this.#parts;
    const nowMs = clock.monotonic();
    const interfaces = surroundings.interfaces();
    this.#interfaces = new Map(interfaces.map((each) => [each.index, each]));
    for (const { index, name } of interfaces) this.#names.set(index, name);
    this.classes.update(interfaces.flatMap(({ addresses }) => addresses));
    const now = { interfaces, defaultRoutes: surroundings.defaultRoutes(), resolvers: surroundings.resolvers() };
    this.#gateways = new Set(now.defaultRoutes.flatMap(({ gateway }) => gateway ?? []));
    this.#resolvers = new Set(now.resolvers);
    this.#services = withFirst(this.#services, { gateway: this.#gateways, resolver: this.#resolvers });
    this.#log.update(now, nowMs);
    for (const neighbour of surroundings.neighbours()) this.macs.note(neighbour);
    if (this.#own.update(interfaces, surroundings.loopbackAddresses(), nowMs)) onOwnChange(this.#own.current);
    this.#readAtMs = clock.monotonic();
  }

  /** Reads everything unless that was a moment ago. */
  refresh(): void {
    if (this.#parts.clock.monotonic() - this.#readAtMs >= freshMs) this.read();
  }

  /** True for a gateway or DNS server of the start; of a kind that there was none of, the first that came. */
  isStartService(address: string): boolean {
    return this.#services.values().some((addresses) => addresses.has(address));
  }

  isResolver(address: string): boolean {
    return this.#resolvers.has(address);
  }

  /** True if the address was this machine's when that was read last. */
  hasOwn(address: string): boolean {
    return this.#own.has(address);
  }

  /** True if the address is this machine's, also if it became so a moment ago. */
  isOwn(address: string): boolean {
    if (this.#own.has(address)) return true;
    if (!this.#parts.surroundings.isOwn(address)) return false;
    this.#own.learn(address, this.#parts.clock.monotonic());
    this.#parts.onOwnChange(this.#own.current);
    return true;
  }

  /** Notes the interface of a packet, which may be new; one that is gone already is shown by its number. */
  meetInterface(index: number): void {
    if (this.#names.get(index) !== undefined) return;
    this.read();
    if (!this.#interfaces.has(index)) this.#names.set(index, `#${index}`);
  }

  interfaceName(index: number): string {
    return this.#names.get(index) ?? `#${index}`;
  }

  #roleOf(address: string): 'gateway' | 'resolver' | 'peer' | undefined {
    if (this.#gateways.has(address)) return 'gateway';
    if (this.#resolvers.has(address)) return 'resolver';
    return this.#parts.isMet(address) ? 'peer' : undefined;
  }
}

/** Adds the addresses of a role and IP version that has had none so far. */
function withFirst(known: StartServices, now: Readonly<Record<string, ReadonlySet<string>>>): StartServices {
  const services = new Map(known);
  for (const [role, addresses] of Object.entries(now))
    for (const [family, same] of Map.groupBy(addresses, (address) => (address.includes(':') ? 6 : 4))) {
      const key = `${role} ${family}`;
      if (!services.has(key)) services.set(key, new Set(same));
    }
  return services;
}
