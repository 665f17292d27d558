import { BoundedMap } from '../../core/bounded-map.ts';
import type { Counted, PeerCount, RestCount } from './peer-counter.ts';
import { RecentTraffic, type BothWays, Steps } from './rates.ts';

/** A peer on an interface. */
export type PeerId = Pick<PeerCount, 'interfaceIndex' | 'address'>;

/** Traffic between this machine and a peer, in bytes of IP packets. */
export interface MeteredPeer extends PeerId {
  /** Since the start, as the taps see them. */
  readonly total: Readonly<BothWays>;
  /** Since the start, on the wire. */
  readonly wire: Readonly<BothWays>;
  /** On the wire since the record before. */
  readonly sinceRecord: Readonly<BothWays>;
  readonly recent: RecentTraffic;
}

/** All traffic of an interface with Ethernet headers: as the taps see packets, and as they are on the wire. */
export interface LinkCount {
  readonly taps: BothWays;
  readonly wire: BothWays;
}

/** Everything that a counter holds at one moment. */
export interface CounterReading {
  readonly peers: readonly PeerCount[];
  readonly rest: readonly RestCount[];
}

type BothCounts = Pick<PeerCount, 'sent' | 'received'>;

interface Entry extends MeteredPeer {
  total: BothWays;
  wire: BothWays;
  sinceRecord: BothWays;
  before: BothCounts;
  lastAtMs: number;
}

/** A peer that is silent for this long leaves the kernel's table of 16,384 entries. */
const silenceMs = 600_000;
/** Number of silent peers kept; beyond it the one silent the longest starts from zero if it returns. */
const maxSilent = 32_768;
const linkHeaderBytes = 14;

const nothing: Counted = { bytes: 0, wireBytes: 0, packets: 0, wirePackets: 0 };
const nothingYet: BothCounts = { sent: nothing, received: nothing };

/** Turns counter readings into totals and recent rates of each peer. */
export class PeerMeter {
  readonly steps: Steps;
  readonly #peers = new Map<string, Entry>();
  readonly #silent = new BoundedMap<string, Entry>(maxSilent);
  readonly #rest = new Map<string, BothCounts>();
  /** By interface index, since the record before. */
  #onInterface = new Map<number, LinkCount>();
  #noRoom: BothWays = [0, 0];

  constructor(startMs: number) {
    this.steps = new Steps(startMs);
  }

  get peers(): Iterable<MeteredPeer> {
    return this.#peers.values();
  }

  /** Bytes on the wire of peers that the table had no room for, since the start. */
  get overflow(): BothWays {
    return [...this.#noRoom];
  }

  /** Takes a reading of the counter; returns the new peers. */
  step(counts: CounterReading, nowMs: number): readonly PeerCount[] {
    this.steps.add(nowMs);
    const newcomers = counts.peers.filter((count) => this.#add(count, nowMs));
    for (const count of counts.rest) this.#addRest(count);
    return newcomers;
  }

  /** Long-silent peers, to be removed from the counter. */
  silent(nowMs: number): readonly PeerId[] {
    return this.#peers
      .values()
      .filter(({ lastAtMs }) => nowMs - lastAtMs >= silenceMs)
      .toArray();
  }

  /** The counter has forgotten these peers; these are their last counts. */
  forgotten(counts: readonly PeerCount[], nowMs: number): void {
    for (const count of counts) {
      this.#add(count, nowMs);
      const entry = this.#peers.get(keyOf(count));
      if (entry) entry.before = nothingYet;
    }
  }

  /** Retires long-silent peers. */
  retire(nowMs: number): void {
    for (const peer of this.silent(nowMs)) {
      const key = keyOf(peer);
      const entry = this.#peers.get(key);
      this.#peers.delete(key);
      if (entry) this.#silent.set(key, entry);
    }
  }

  /** Begins a record: returns the counts of each interface since the previous one and resets them. */
  beginRecord(): ReadonlyMap<number, LinkCount> {
    for (const entry of this.#peers.values()) entry.sinceRecord = [0, 0];
    const counted = this.#onInterface;
    this.#onInterface = new Map();
    return counted;
  }

  /** True if the peer was not there before. */
  #add(count: PeerCount, nowMs: number): boolean {
    const key = keyOf(count);
    const known = this.#peers.get(key) ?? this.#silent.take(key);
    const entry = known ?? newEntry(count, nowMs);
    this.#peers.set(key, entry);
    const passed = since(entry.before, count);
    entry.before = count;
    if (passed.sent.packets + passed.received.packets === 0) return !known;
    const wire: BothWays = [passed.sent.wireBytes, passed.received.wireBytes];
    addTo(entry.total, [passed.sent.bytes, passed.received.bytes]);
    addTo(entry.wire, wire);
    addTo(entry.sinceRecord, wire);
    entry.recent.add(this.steps.last, wire);
    entry.lastAtMs = nowMs;
    this.#addToInterface(count.interfaceIndex, passed);
    return !known;
  }

  #addRest(count: RestCount): void {
    const key = `${count.interfaceIndex} ${count.kind}`;
    const passed = since(this.#rest.get(key) ?? nothingYet, count);
    this.#rest.set(key, count);
    this.#addToInterface(count.interfaceIndex, passed);
    if (count.kind === 'no-room') addTo(this.#noRoom, [passed.sent.wireBytes, passed.received.wireBytes]);
  }

  #addToInterface(index: number, { sent, received }: BothCounts): void {
    const sum = this.#onInterface.getOrInsertComputed(index, (): LinkCount => ({ taps: [0, 0], wire: [0, 0] }));
    addTo(sum.taps, [framed(sent.bytes, sent.packets), framed(received.bytes, received.packets)]);
    addTo(sum.wire, [framed(sent.wireBytes, sent.wirePackets), framed(received.wireBytes, received.wirePackets)]);
  }
}

function newEntry({ interfaceIndex, address }: PeerId, nowMs: number): Entry {
  return {
    interfaceIndex,
    address,
    total: [0, 0],
    wire: [0, 0],
    sinceRecord: [0, 0],
    recent: new RecentTraffic(),
    before: nothingYet,
    lastAtMs: nowMs,
  };
}

function keyOf({ interfaceIndex, address }: PeerId): string {
  return `${interfaceIndex} ${address}`;
}

function since(before: BothCounts, now: BothCounts): BothCounts {
  return { sent: difference(before.sent, now.sent), received: difference(before.received, now.received) };
}

/** A count lower than before has restarted from zero. */
function difference(before: Counted, now: Counted): Counted {
  if (now.packets < before.packets) return now;
  return {
    bytes: now.bytes - before.bytes,
    wireBytes: now.wireBytes - before.wireBytes,
    packets: now.packets - before.packets,
    wirePackets: now.wirePackets - before.wirePackets,
  };
}

function framed(bytes: number, packets: number): number {
  return bytes + linkHeaderBytes * packets;
}

function addTo(sum: BothWays, [sent, received]: BothWays): void {
  sum[0] += sent;
  sum[1] += received;
}
