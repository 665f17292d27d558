import { BoundedMap } from '../../core/bounded-map.ts';
import type { Clock } from '../../core/clock.ts';
import type { Peer, SensorRecord } from '../../core/record.ts';
import type { SensorContext, SensorState } from '../../core/sensor.ts';
import { AddressRules } from '../../net/dial/address-rules.ts';
import { decodeIpPacket } from '../../net/packets/ip-packet.ts';
import { Contacts, type Meeting } from './contacts.ts';
import { type MeteredPeer, PeerMeter, type PeerId } from './meter.ts';
import type { TrafficOptions } from './options.ts';
import { isCovered, PeerClasses } from './peer-class.ts';
import type { OpenedCounter, PeerCount, PeerCounter, PeerCounterOptions, SeenPacket } from './peer-counter.ts';
import { PeerNames } from './peer-names.ts';
import { type Rates, stepMs } from './rates.ts';
import type { Interface, Surroundings } from './surroundings.ts';
import { interfacesOf, trafficRecord, type TrafficRecord } from './traffic-record.ts';

export interface ObserverParts {
  readonly options: TrafficOptions;
  readonly clock: Clock;
  readonly record: (record: SensorRecord) => void;
  readonly surroundings: Surroundings;
  /** Addresses of the agent's own server, with which it always talks. */
  readonly serverAddresses?: SensorContext['serverAddresses'];
  readonly openCounter: (options: PeerCounterOptions) => OpenedCounter;
}

const recordMs = 40_000;
const maxMacs = 16_384;
const maxInterfaceNames = 4096;
/** Time for which a contact may use the kernel tables read before, so that a scan does not cause a read for every peer. */
const freshMs = 20;

/** Combines what is known of the peers of this machine: counts, classes, names, MAC addresses and first contacts. */
export class TrafficObserver implements Disposable {
  /** How the counting works, or why it does not. */
  readonly state: SensorState;
  readonly #parts: ObserverParts;
  readonly #counter: PeerCounter | undefined;
  readonly #meter: PeerMeter;
  readonly #names: PeerNames;
  readonly #classes: PeerClasses;
  readonly #contacts: Contacts;
  readonly #allowed: AddressRules;
  readonly #macs = new BoundedMap<string, string>(maxMacs);
  #services: ReadonlySet<string> = new Set();
  #interfaces: ReadonlyMap<number, Interface> = new Map();
  /** Includes interfaces that are gone, because peers were met there. */
  readonly #interfaceNames = new BoundedMap<number, string>(maxInterfaceNames);
  #interfacesAtRecord: ReadonlyMap<number, Interface> = new Map();
  #lookedAtMs = -Infinity;
  #recordedAtMs: number;
  #missed = 0;

  constructor(parts: ObserverParts) {
    const { options, clock, openCounter } = parts;
    this.#parts = parts;
    this.#recordedAtMs = clock.monotonic();
    this.#meter = new PeerMeter(this.#recordedAtMs);
    this.#names = new PeerNames(clock);
    this.#classes = new PeerClasses(options.networks);
    this.#allowed = new AddressRules(options.allow, 'allow');
    this.#contacts = this.#makeContacts();
    this.#look();
    this.#interfacesAtRecord = this.#interfaces;
    const opened = openCounter({ onPacket: (packet) => this.#hear(packet) });
    this.state = { state: opened.state, message: opened.message };
    this.#counter = opened.state === 'unavailable' ? undefined : opened.counter;
  }

  /** Reads the counter; to be called every `stepMs`. @throws {SystemError} if the kernel no longer answers */
  step(): void {
    if (!this.#counter) return;
    const nowMs = this.#parts.clock.monotonic();
    this.#look();
    this.#names.step();
    const newcomers = this.#meter.step({ peers: this.#counter.read(), rest: this.#counter.rest() }, nowMs);
    this.#contacts.step(newcomers.map(unseenMeeting), nowMs);
    this.#forget([...this.#meter.silent(nowMs), ...this.#contacts.takeHeardOnly()], nowMs);
    this.#meter.retire(nowMs);
  }

  /** True when it is 40 s since the record before, to the nearest step. */
  get isRecordDue(): boolean {
    return this.#parts.clock.monotonic() - this.#recordedAtMs >= recordMs - stepMs / 2;
  }

  /** Traffic since the previous record, on all interfaces or one. */
  takeRecord(only?: string): TrafficRecord {
    const nowMs = this.#parts.clock.monotonic();
    const seconds = Number(((nowMs - this.#recordedAtMs) / 1000).toFixed(3));
    this.#recordedAtMs = nowMs;
    const peers = Array.from(this.peersOn(only), (peer) => ({
      sinceRecord: peer.sinceRecord,
      describe: () => this.describe(peer),
    }));
    const counted = this.#meter.beginRecord();
    const counts = { counted, before: this.#interfacesAtRecord, now: this.#interfaces };
    const interfaces = interfacesOf(counts).filter(({ name }) => only === undefined || name === only);
    this.#interfacesAtRecord = this.#interfaces;
    this.#sayMissed();
    return trafficRecord({ event: 'traffic', seconds, interfaces, overflow: this.#meter.overflow }, peers);
  }

  /** Every counted peer, on all interfaces or one. */
  peersOn(only?: string): Iterable<MeteredPeer> {
    if (only === undefined) return this.#meter.peers;
    return Iterator.from(this.#meter.peers).filter((peer) => this.#interfaceName(peer.interfaceIndex) === only);
  }

  /** Bytes a second, up to the last step. */
  ratesOf({ recent }: MeteredPeer): Rates {
    return recent.rates(this.#meter.steps);
  }

  /** The current interfaces. */
  get interfaces(): readonly Interface[] {
    return [...this.#interfaces.values()];
  }

  /** A peer as it is recorded. */
  describe(peer: MeteredPeer): Peer {
    const { address, total, wire } = peer;
    return {
      interface: this.#interfaceName(peer.interfaceIndex),
      address,
      class: this.#classes.of(address),
      ...this.#known(address),
      total: [...total],
      wire: [...wire],
      ...this.ratesOf(peer),
    };
  }

  [Symbol.dispose](): void {
    this.#counter?.[Symbol.dispose]();
  }

  #makeContacts(): Contacts {
    const { options, record } = this.#parts;
    const forbidden = new AddressRules(options.forbid, 'forbid');
    return new Contacts({
      rules: {
        isForbidden: (address) => isCovered(forbidden, address),
        isAllowed: (address) => isCovered(this.#allowed, address) || this.#isService(address),
        classOf: (address) => this.#classes.of(address),
      },
      describe: ({ interfaceIndex, address }) => ({
        interface: this.#interfaceName(interfaceIndex),
        ...this.#known(address),
      }),
      record,
    });
  }

  #hear({ interfaceIndex, direction, bytes, mac }: SeenPacket): void {
    const packet = decodeIpPacket(bytes);
    if (!packet) return;
    this.#meetInterface(interfaceIndex);
    const address = direction === 'in' ? packet.source : packet.destination;
    if (mac !== undefined) this.#macs.set(address, mac);
    if (this.#parts.options.names !== 'none') this.#names.hear(packet);
    this.#contacts.meet({ interfaceIndex, address, direction, packet }, this.#parts.clock.monotonic());
  }

  #known(address: string): Pick<Peer, 'name' | 'mac'> {
    const name = this.#nameOf(address);
    const mac = this.#classes.isOnLink(address) ? this.#macOf(address) : undefined;
    return { ...(name && { name }), ...(mac && { mac }) };
  }

  #nameOf(address: string): string | undefined {
    const { names } = this.#parts.options;
    return names === 'all' || this.#classes.of(address) === 'intranet' ? this.#names.of(address) : undefined;
  }

  /** From the peer's packets; before the first of them from the kernel's table, which costs some microseconds. */
  #macOf(address: string): string | undefined {
    const heard = this.#macs.get(address);
    if (heard !== undefined) return heard;
    const known = this.#parts.surroundings.macOf(address);
    if (known !== undefined) this.#macs.set(address, known);
    return known;
  }

  /** Notes the interface of a packet, which may be new; one that is gone already is shown by its number. */
  #meetInterface(index: number): void {
    if (this.#interfaceNames.get(index) !== undefined) return;
    this.#look();
    if (!this.#interfaces.has(index)) this.#interfaceNames.set(index, `#${index}`);
  }

  #interfaceName(index: number): string {
    return this.#interfaceNames.get(index) ?? `#${index}`;
  }

  /** Read only before a notice: routes and resolvers change when an interface gets its address. */
  #isService(address: string): boolean {
    const isFresh = this.#parts.clock.monotonic() - this.#lookedAtMs < freshMs;
    if (!isFresh && !this.#services.has(address)) this.#look();
    return this.#services.has(address) || (this.#parts.serverAddresses?.() ?? []).includes(address);
  }

  #look(): void {
    const { surroundings, clock } = this.#parts;
    this.#lookedAtMs = clock.monotonic();
    const interfaces = surroundings.interfaces();
    this.#interfaces = new Map(interfaces.map((each) => [each.index, each]));
    for (const { index, name } of interfaces) this.#interfaceNames.set(index, name);
    this.#classes.update(interfaces.flatMap(({ addresses }) => addresses));
    this.#services = new Set(surroundings.services());
  }

  #forget(peers: readonly PeerId[], nowMs: number): void {
    if (this.#counter && peers.length > 0) this.#meter.forgotten(this.#counter.forget(peers), nowMs);
  }

  #sayMissed(): void {
    const missed = this.#counter?.missedPackets() ?? 0;
    const count = missed - this.#missed;
    this.#missed = missed;
    if (count > 0)
      this.#parts.record({ event: 'lost', message: 'packets that passed uncounted, too many at once', count });
  }
}

/** The meeting with a counted peer none of whose packets was handed up. */
function unseenMeeting({ interfaceIndex, address, received }: PeerCount): Meeting {
  return { interfaceIndex, address, direction: received.packets > 0 ? 'in' : 'out' };
}
