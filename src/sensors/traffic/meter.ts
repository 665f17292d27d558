import { BoundedMap } from '../../core/bounded-map.ts';
import type { Counted, PeerCount, PeerId, RestCount } from './peer-counter.ts';
import { RecentTraffic, type BothWays, Steps } from './rates.ts';

/** Traffic between this machine and a peer, or what it passes on for two others, in bytes of IP packets. */
export interface MeteredPeer extends PeerId {
  /** Since the start, as the taps see them. */
  readonly total: Readonly<BothWays>;
  /** Since the start, on the wire. */
  readonly wire: Readonly<BothWays>;
  /** On the wire since the record before. */
  readonly sinceRecord: Readonly<BothWays>;
  readonly recent: RecentTraffic;
  /** When a directed packet passed last; undefined if the peer was only heard to speak to everybody. */
  readonly directedAtMs: number | undefined;
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
  directedAtMs: number | undefined;
}

/** A peer that is silent for this long leaves the kernel's table of 16,384 entries. */
const silenceMs = 600_000;
/** Number of silent peers kept; beyond it the one silent the longest starts from zero if it returns. */
const maxSilent = 32_768;
const linkHeaderBytes = 14;

const nothing: Counted = { bytes: 0, wireBytes: 0, packets: 0, wirePackets: 0, directed: 0 };
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

  /** Takes a reading of the counter; returns the peers of which it has directed packets for the first time. */
  step(counts: CounterReading, nowMs: number): readonly PeerCount[] {
    this.steps.add(nowMs);
    const newcomers = counts.peers.filter((count) => this.#add(count, nowMs));
    for (const count of counts.rest) this.#addRest(count);
    return newcomers;
  }

  /** Counts a pair as a peer of this machine from now on, because one of the two is this machine. */
  claim(pair: PeerId): void {
    const entry = this.#peers.get(keyOf(pair));
    if (!entry) return;
    this.#peers.delete(keyOf(pair));
    const { interfaceIndex, address } = pair;
    const peer = this.#peers.getOrInsertComputed(keyOf({ interfaceIndex, address }), () =>
      newEntry({ interfaceIndex, address }, entry.lastAtMs),
    );
    for (const sum of ['total', 'wire', 'sinceRecord'] as const) addTo(peer[sum], entry[sum]);
    peer.directedAtMs = entry.directedAtMs ?? peer.directedAtMs;
  }

  /** Peers that exchanged nothing for long, though they may have spoken to everybody on the link. */
  quiet(nowMs: number): readonly MeteredPeer[] {
    return this.#peers
      .values()
      .filter(({ directedAtMs = nowMs }) => nowMs - directedAtMs >= silenceMs)
      .toArray();
  }

  /** True if the peer is still quiet; its next directed packet is the first again. */
  takeQuiet(id: PeerId, nowMs: number): boolean {
    const entry = this.#peers.get(keyOf(id));
    if (entry?.directedAtMs === undefined || nowMs - entry.directedAtMs < silenceMs) return false;
    entry.directedAtMs = undefined;
    return true;
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

  /** True if its first directed packet is among what is added. */
  #add(count: PeerCount, nowMs: number): boolean {
    const key = keyOf(count);
    const entry = this.#peers.get(key) ?? this.#silent.take(key) ?? newEntry(count, nowMs);
    this.#peers.set(key, entry);
    const passed = since(entry.before, count);
    const isMet = directedIn(count) > 0 && directedIn(entry.before) === 0;
    entry.before = count;
    if (directedIn(passed) > 0) entry.directedAtMs = nowMs;
    if (passed.sent.packets + passed.received.packets === 0) return isMet;
    const wire: BothWays = [passed.sent.wireBytes, passed.received.wireBytes];
    addTo(entry.total, [passed.sent.bytes, passed.received.bytes]);
    addTo(entry.wire, wire);
    addTo(entry.sinceRecord, wire);
    entry.recent.add(this.steps.last, wire);
    entry.lastAtMs = nowMs;
    this.#addToInterface(count.interfaceIndex, passed);
    return isMet;
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

function directedIn({ sent, received }: BothCounts): number {
  return sent.directed + received.directed;
}

function newEntry({ interfaceIndex, address, other }: PeerId, nowMs: number): Entry {
  return {
    interfaceIndex,
    address,
    ...(other !== undefined && { other }),
    total: [0, 0],
    wire: [0, 0],
    sinceRecord: [0, 0],
    recent: new RecentTraffic(),
    before: nothingYet,
    lastAtMs: nowMs,
    directedAtMs: undefined,
  };
}

function keyOf({ interfaceIndex, address, other = '' }: PeerId): string {
  return `${interfaceIndex} ${address} ${other}`;
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
    directed: now.directed - before.directed,
  };
}

function framed(bytes: number, packets: number): number {
  return bytes + linkHeaderBytes * packets;
}

function addTo(sum: BothWays, [sent, received]: BothWays): void {
  sum[0] += sent;
  sum[1] += received;
}
