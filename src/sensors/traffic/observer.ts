import { BoundedMap } from '../../core/bounded-map.ts';
import type { Clock } from '../../core/clock.ts';
import type { PassedOn, Peer, PeerName, SensorRecord } from '../../core/record.ts';
import type { SensorContext, SensorState } from '../../core/sensor.ts';
import { decodeIpPacket } from '../../net/packets/ip-packet.ts';
import { firstOf, seenTransport } from './beginning.ts';
import type { ContactEvent } from './contact-budget.ts';
import { Contacts, type Meeting } from './contacts.ts';
import { interfaceChoice } from './interface-choice.ts';
import { LossLog } from './loss-log.ts';
import { type MeteredPeer, PeerMeter } from './meter.ts';
import { NetworkState } from './network-state.ts';
import type { TrafficOptions } from './options.ts';
import type { OpenedCounter, PeerCount, PeerCounter, PeerCounterOptions, PeerId, SeenPacket } from './peer-counter.ts';
import { PacedCalls } from './paced-calls.ts';
import { PassedOnLog } from './passed-on-log.ts';
import { PeerNames } from './peer-names.ts';
import { PeerRules } from './peer-rules.ts';
import { type Rates, stepMs } from './rates.ts';
import type { Interface, Surroundings } from './surroundings.ts';
import { interfacesOf, passedOnIn, trafficRecords, type TrafficRecord } from './traffic-record.ts';

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
const maxMet = 65_536;

/** Combines what is known of the peers of this machine: counts, classes, names, MAC addresses and contacts. */
export class TrafficObserver implements Disposable {
  /** How the counting works, or why it does not. */
  readonly state: SensorState;
  /** What was used between this machine and a peer: `tcp 443`. */
  readonly servicesOf = (address: string): readonly string[] => this.#contacts.servicesOf(address);
  readonly #parts: ObserverParts;
  readonly #isChosen: (name: string) => boolean;
  readonly #network: NetworkState;
  readonly #counter: PeerCounter | undefined;
  readonly #meter: PeerMeter;
  readonly #names: PeerNames;
  readonly #rules: PeerRules;
  readonly #contacts: Contacts;
  /** Addresses with which packets were exchanged. */
  readonly #met = new BoundedMap<string, true>(maxMet);
  readonly #passedOn: PassedOnLog;
  readonly #losses: LossLog;
  readonly #resources = new DisposableStack();
  #isOwnNew = false;
  #isClaimDue = false;
  #interfacesAtRecord: ReadonlyMap<number, Interface>;
  #recordedAtMs: number;

  constructor(parts: ObserverParts) {
    const { options, clock, surroundings, record, openCounter } = parts;
    this.#parts = parts;
    this.#isChosen = interfaceChoice(options.interfaces);
    this.#recordedAtMs = clock.monotonic();
    this.#meter = new PeerMeter(this.#recordedAtMs);
    this.#rules = new PeerRules(options);
    this.#passedOn = new PassedOnLog(record);
    this.#losses = new LossLog(record);
    const isMet = (address: string): boolean => this.#met.get(address) !== undefined;
    this.#network = new NetworkState({
      surroundings,
      clock,
      networks: options.networks,
      record,
      isMet,
      onOwnChange: () => (this.#isOwnNew = true),
    });
    this.#names = new PeerNames({
      clock,
      isResolver: (address) => this.#network.isResolver(address),
      isOnLink: (address) => this.#network.classes.isOnLink(address),
      isMet,
    });
    this.#contacts = new Contacts({
      rules: {
        eventFor: (address) => this.#eventFor(address),
        classOf: (address) => this.#network.classes.of(address),
      },
      describe: (peer) => ({ interface: this.#network.interfaceName(peer.interfaceIndex), ...this.#known(peer) }),
      record,
    });
    const opened = openCounter({ own: this.#network.own, onPacket: (packet) => this.#hear(packet) });
    this.state = { state: opened.state, message: opened.message };
    this.#counter = opened.state === 'unavailable' ? undefined : opened.counter;
    // Loading the filter takes a while: what the interfaces count is compared from here on.
    this.#network.read();
    this.#interfacesAtRecord = this.#network.interfaces;
    const reading = this.#resources.use(new PacedCalls(clock, () => this.#readSurroundings()));
    this.#resources.use(surroundings.watch(() => reading.ask()));
    if (this.#counter) this.#resources.use(this.#counter);
  }

  /** Reads the counter; to be called every `stepMs`. @throws {SystemError} if the kernel no longer answers */
  step(): void {
    if (!this.#counter) return;
    const nowMs = this.#parts.clock.monotonic();
    this.#network.read();
    this.#tellCounter();
    this.#names.step();
    const counts = this.#counter.read();
    const newcomers = this.#meter.step({ peers: counts, rest: this.#counter.rest() }, nowMs);
    this.#claimOwn(nowMs);
    for (const newcomer of newcomers) this.#meetCounted(newcomer);
    this.#contacts.step(this.peersOn(), nowMs);
    this.#forgetQuiet(nowMs);
    this.#meter.retire(nowMs);
  }

  /** True when it is 40 s since the record before, to the nearest step. */
  get isRecordDue(): boolean {
    return this.#parts.clock.monotonic() - this.#recordedAtMs >= recordMs - stepMs / 2;
  }

  /** Traffic since the previous record, on all interfaces or one; of more peers than one record has room for, several. */
  takeRecords(only?: string): readonly TrafficRecord[] {
    const nowMs = this.#parts.clock.monotonic();
    const seconds = Number(((nowMs - this.#recordedAtMs) / 1000).toFixed(3));
    this.#recordedAtMs = nowMs;
    const peers = Array.from(this.peersOn(only), (peer) => ({
      sinceRecord: peer.sinceRecord,
      describe: () => this.describe(peer),
    }));
    const passedOn = this.passedOn(only);
    const counted = this.#meter.beginRecord();
    const counts = { counted, before: this.#interfacesAtRecord, now: this.#network.interfaces };
    const interfaces = interfacesOf(counts).filter(({ name }) => this.#isWanted(name, only));
    this.#interfacesAtRecord = this.#network.interfaces;
    if (this.#counter) this.#losses.tell(this.#counter);
    return trafficRecords(
      { event: 'traffic', seconds, interfaces, overflow: this.#meter.overflow },
      { peers, passedOn },
    );
  }

  /** Every counted peer, on all interfaces or one. */
  peersOn(only?: string): Iterable<MeteredPeer> {
    return this.#countedOn(only).filter(({ other }) => other === undefined);
  }

  /** What this machine passed on for others since the start, most bytes first. */
  passedOn(only?: string): readonly PassedOn[] {
    return passedOnIn(this.#countedOn(only), (index) => this.#network.interfaceName(index));
  }

  /** Bytes a second, up to the last step. */
  ratesOf({ recent }: MeteredPeer): Rates {
    return recent.rates(this.#meter.steps);
  }

  /** The current interfaces that were chosen. */
  get interfaces(): readonly Interface[] {
    return [...this.#network.interfaces.values()].filter(({ name }) => this.#isChosen(name));
  }

  /** A peer as it is recorded. */
  describe(peer: MeteredPeer): Peer {
    const { address, total, wire, directedAtMs } = peer;
    const peerClass = this.#network.classes.of(address);
    return {
      interface: this.#network.interfaceName(peer.interfaceIndex),
      address,
      class: peerClass,
      ...this.#known(peer),
      ...(directedAtMs === undefined && peerClass !== 'multicast' && { isAnnouncer: true }),
      total: [...total],
      wire: [...wire],
      ...this.ratesOf(peer),
    };
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  /** Peers and pairs on the chosen interfaces, or on one. */
  #countedOn(only: string | undefined): IteratorObject<MeteredPeer> {
    return Iterator.from(this.#meter.peers).filter(({ interfaceIndex }) =>
      this.#isWanted(this.#network.interfaceName(interfaceIndex), only),
    );
  }

  #isWanted(name: string, only: string | undefined): boolean {
    return this.#isChosen(name) && (only === undefined || name === only);
  }

  #hear({ interfaceIndex, direction, bytes, mac }: SeenPacket): void {
    const packet = decodeIpPacket(bytes);
    if (!packet) return;
    this.#network.meetInterface(interfaceIndex);
    const { source, destination } = packet;
    const [address, own] = direction === 'in' ? [source, destination] : [destination, source];
    const isForGroup = this.#network.classes.isGroup(destination);
    if (!this.#network.classes.isGroup(own) && !this.#network.isOwn(own)) {
      const name = this.#network.interfaceName(interfaceIndex);
      if (direction === 'out' && !isForGroup && this.#isChosen(name)) this.#passedOn.tell(packet, name);
      return;
    }
    if (mac !== undefined && this.#network.classes.isOnLink(address))
      this.#network.macs.note({ interfaceIndex, address, mac });
    if (this.#parts.options.names !== 'none') this.#names.hear(packet, direction);
    const seen = seenTransport(bytes, direction);
    if (isForGroup) this.#contacts.hearQuestion(address, seen);
    else this.#meet({ interfaceIndex, address, seen });
  }

  /** Meets a peer by what the counter kept of its first packets: none of them needs to have been handed up. */
  #meetCounted(count: PeerCount): void {
    const { interfaceIndex, address, other } = count;
    const seen = firstOf(count);
    if (seen && other === undefined && !this.#network.classes.isGroup(address))
      this.#meet({ interfaceIndex, address, seen });
  }

  #meet(meeting: Meeting): void {
    this.#met.set(meeting.address, true);
    if (this.#isChosen(this.#network.interfaceName(meeting.interfaceIndex))) this.#contacts.meet(meeting);
  }

  #eventFor(address: string): ContactEvent | undefined {
    this.#network.refresh();
    const isOurServer = (this.#parts.serverAddresses?.() ?? []).includes(address);
    if (isOurServer || this.#network.isStartService(address)) return undefined;
    const verdict = this.#rules.of(address);
    if (verdict === 'forbid') return 'forbidden-peer';
    return verdict === undefined && this.#network.classes.of(address) === 'intranet' ? 'lan-access' : undefined;
  }

  #known({ interfaceIndex, address }: PeerId): Pick<Peer, 'names' | 'mac'> {
    const names = this.#namesOf(address);
    const mac = this.#network.macs.of({ interfaceIndex, address });
    return { ...(names.length > 0 && { names: [...names] }), ...(mac && { mac }) };
  }

  /** None of a bystander, with which this machine has exchanged nothing. */
  #namesOf(address: string): readonly PeerName[] {
    const { names } = this.#parts.options;
    const isWanted = names === 'all' || (names !== 'none' && this.#network.classes.of(address) === 'intranet');
    return isWanted && this.#met.get(address) ? this.#names.of(address) : [];
  }

  #readSurroundings(): void {
    this.#network.read();
    this.#tellCounter();
  }

  #tellCounter(): void {
    if (!this.#isOwnNew) return;
    this.#isOwnNew = false;
    this.#counter?.know(this.#network.own);
    this.#isClaimDue = true;
  }

  /** Packets that passed before the counter knew of a new address were counted as those of others. */
  #claimOwn(nowMs: number): void {
    if (!this.#isClaimDue || !this.#counter) return;
    this.#isClaimDue = false;
    const ours = Iterator.from(this.#meter.peers).filter(
      ({ other }) => other !== undefined && this.#network.hasOwn(other),
    );
    const claimed = this.#counter.forget(ours.toArray());
    this.#meter.forgotten(claimed, nowMs);
    for (const { other, ...count } of claimed) {
      this.#meter.claim({ ...count, ...(other !== undefined && { other }) });
      this.#meetCounted(count);
    }
  }

  /** Peers that were silent for long leave the counter, so that it hands up their next packet. */
  #forgetQuiet(nowMs: number): void {
    const quiet = this.#meter.quiet(nowMs);
    const peers = [...this.#meter.silent(nowMs), ...quiet];
    if (!this.#counter || peers.length === 0) return;
    this.#meter.forgotten(this.#counter.forget(peers), nowMs);
    for (const peer of quiet) {
      if (!this.#meter.takeQuiet(peer, nowMs)) continue;
      this.#contacts.forget(peer);
      this.#met.take(peer.address);
      if (peer.other !== undefined) this.#passedOn.forget({ source: peer.other, destination: peer.address });
    }
  }
}
