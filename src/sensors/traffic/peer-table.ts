import { ipv6Text } from '../../net/packets/ipv6.ts';
import type { RingPacket } from '../../sys/packet-ring.ts';
import { packetTypes } from '../../sys/packet-socket.ts';
import { etherTypes, handedUp } from './counting-rules.ts';
import { addressBytes, ipv4Text } from './peer-address.ts';
import type { Counted, FirstPacket, MachineEnds, PeerCount, PeerId, RestCount } from './peer-counter.ts';
import {
  askingPortOf,
  bearsNames,
  isForGroup,
  isNeighbourDiscovery,
  isOutgoing,
  serviceOf,
  transportOf,
  type Transport,
} from './ring-packet.ts';

type Tally = { -readonly [Key in keyof Counted]: Counted[Key] };
type BothWays = { readonly received: Tally; readonly sent: Tally };
type Way = keyof BothWays;

/** Address in one value: a number for IPv4, which is fast to build, text for IPv6. */
type Key = number | string;

type Entry = PeerId &
  BothWays & {
    firstReceived?: FirstPacket;
    firstSent?: FirstPacket;
    readonly services: Set<number>;
  };

/** What an address of this machine means: an address of its own, with the interface below it or 0, or a broadcast address. */
type OwnMeaning = number | 'broadcast';

/** Packets between this machine and a peer, to everybody on the link, or between two others. */
type HostsKind = 'peer' | 'undirected' | 'pair';

interface Counting {
  readonly entry: Entry;
  readonly way: Way;
  readonly kind: HostsKind;
}

interface Capacity {
  readonly peers: number;
  readonly pairs: number;
}

/** Services remembered of one peer; beyond, all are forgotten and handed up once more. */
const maxServices = 1024;

/** Counts packets in this process as the filter does in the kernel. */
export class PeerTable {
  readonly #peers = new Map<Key, Entry>();
  readonly #pairs = new Map<string, Entry>();
  readonly #rest = new Map<string, RestCount & BothWays>();
  readonly #capacity: Capacity;
  #own: ReadonlyMap<Key, OwnMeaning> = new Map();
  #ports: ReadonlySet<number> = new Set();

  constructor(capacity: Capacity) {
    this.#capacity = capacity;
  }

  know({ addresses, broadcasts, ports }: MachineEnds): void {
    this.#own = new Map<Key, OwnMeaning>([
      ...broadcasts.map((address) => [keyOfText(address), 'broadcast'] as const),
      ...addresses.map(({ address, below = 0 }) => [keyOfText(address), below] as const),
    ]);
    this.#ports = new Set(ports);
  }

  /** Returns how many bytes of the packet are handed up. */
  count(packet: RingPacket): number {
    const way = isOutgoing(packet) ? 'sent' : 'received';
    const kind = this.#kindOf(packet, way);
    const entry = isOfHosts(kind) ? this.#entryFor(packet, { kind, way }) : undefined;
    if (!isOfHosts(kind) || !entry) {
      add(this.#restOf(packet.interfaceIndex, isOfHosts(kind) ? 'no-room' : kind)[way], packet.length);
      return 0;
    }
    add(entry[way], packet.length);
    return this.#look(packet, { entry, way, kind });
  }

  read(): PeerCount[] {
    return [...this.#peers.values(), ...this.#pairs.values()].map(countOf);
  }

  rest(): RestCount[] {
    return [...this.#rest.values()].map(snapshot);
  }

  /** Removes a peer or pair; undefined if there is none. */
  take({ interfaceIndex, address, other }: PeerId): PeerCount | undefined {
    const table: Map<Key, Entry> = other === undefined ? this.#peers : this.#pairs;
    const peer = peerKey(interfaceIndex, keyOfText(address));
    const key = other === undefined ? peer : pairKey(peer, keyOfText(other));
    const entry = table.get(key);
    table.delete(key);
    return entry && countOf(entry);
  }

  /** Notes what the packet begins; returns how many of its bytes are handed up. */
  #look(packet: RingPacket, { entry, way, kind }: Counting): number {
    const transport = transportOf(packet);
    const isDirected = kind !== 'undirected' && !isForGroup(packet) && !isNeighbourDiscovery(transport);
    const isFirst = isDirected && entry[way].directed++ === 0;
    if (isFirst) entry[way === 'sent' ? 'firstSent' : 'firstReceived'] = firstOf(transport);
    if (kind === 'pair') return isFirst ? handedUp.first : 0;
    if (bearsNames(packet, transport)) return handedUp.whole;
    const service = isDirected ? serviceOf(packet, transport) : askingPortOf(packet, transport);
    const isNew = isNewService(entry, service);
    return isFirst || isNew ? handedUp.first : 0;
  }

  #kindOf(packet: RingPacket, way: Way): HostsKind | RestCount['kind'] {
    if (packet.type === packetTypes.otherHost) return 'not-ours';
    if (packet.hasVlanTag) return 'counted-above';
    return isIp(packet) ? this.#kindOfIp(packet, way) : 'not-ip';
  }

  #kindOfIp(packet: RingPacket, way: Way): HostsKind | RestCount['kind'] {
    const { interfaceIndex } = packet;
    const meaning = this.#own.get(keyAt(packet, way === 'sent' ? 'source' : 'destination'));
    const isForAll = isForGroup(packet) || (way === 'received' && meaning === 'broadcast');
    if (meaning === undefined && !(way === 'received' && isForAll)) return 'pair';
    if (this.#ports.has(interfaceIndex) || meaning === interfaceIndex) return 'counted-above';
    return isForAll ? 'undirected' : 'peer';
  }

  /** Undefined if there is no room for another one. */
  #entryFor(packet: RingPacket, { kind, way }: Omit<Counting, 'entry'>): Entry | undefined {
    const { interfaceIndex } = packet;
    const [far, near] = way === 'sent' ? (['destination', 'source'] as const) : (['source', 'destination'] as const);
    const peer = peerKey(interfaceIndex, keyAt(packet, far));
    if (kind !== 'pair')
      return entryIn(this.#peers, {
        key: peer,
        capacity: this.#capacity.peers,
        make: () => ({ interfaceIndex, address: textAt(packet, far), ...empty() }),
      });
    return entryIn(this.#pairs, {
      key: pairKey(peer, keyAt(packet, near)),
      capacity: this.#capacity.pairs,
      make: () => ({ interfaceIndex, address: textAt(packet, far), other: textAt(packet, near), ...empty() }),
    });
  }

  #restOf(interfaceIndex: number, kind: RestCount['kind']): BothWays {
    return this.#rest.getOrInsertComputed(`${interfaceIndex} ${kind}`, () => ({ interfaceIndex, kind, ...nothing() }));
  }
}

function isOfHosts(kind: HostsKind | RestCount['kind']): kind is HostsKind {
  return kind === 'peer' || kind === 'undirected' || kind === 'pair';
}

function isIp({ protocol, start, end }: RingPacket): boolean {
  return (
    end - start >= (protocol === etherTypes.ipv4 ? 20 : 40) &&
    (protocol === etherTypes.ipv4 || protocol === etherTypes.ipv6)
  );
}

interface Wanted<Name> {
  readonly key: Name;
  readonly capacity: number;
  readonly make: () => Entry;
}

function entryIn<Name extends Key>(table: Map<Name, Entry>, { key, capacity, make }: Wanted<Name>): Entry | undefined {
  const known = table.get(key);
  if (known || table.size >= capacity) return known;
  const made = make();
  table.set(key, made);
  return made;
}

type End = 'source' | 'destination';

/** Where an address of the packet begins. */
function startOf({ protocol, start }: RingPacket, end: End): number {
  const [from, size] = protocol === etherTypes.ipv4 ? [12, 4] : [8, 16];
  return start + from + (end === 'source' ? 0 : size);
}

function keyAt(packet: RingPacket, end: End): Key {
  const at = startOf(packet, end);
  return packet.protocol === etherTypes.ipv4
    ? packet.bytes.readUInt32BE(at)
    : packet.bytes.toString('latin1', at, at + 16);
}

function textAt(packet: RingPacket, end: End): string {
  const at = startOf(packet, end);
  return packet.protocol === etherTypes.ipv4 ? ipv4Text(packet.bytes, at) : ipv6Text(packet.bytes.subarray(at));
}

function keyOfText(address: string): Key {
  const bytes = addressBytes(address);
  return address.includes(':') ? bytes.toString('latin1', 0, 16) : bytes.readUInt32BE(12);
}

// A number holds both exactly up to two million interfaces.
function peerKey(interfaceIndex: number, address: Key): Key {
  return typeof address === 'number' ? interfaceIndex * 2 ** 32 + address : `${interfaceIndex} ${address}`;
}

function pairKey(peer: Key, other: Key): string {
  return `${peer} ${other}`;
}

function isNewService({ services }: Entry, service: number | undefined): boolean {
  if (service === undefined || services.has(service)) return false;
  if (services.size >= maxServices) services.clear();
  services.add(service);
  return true;
}

function firstOf({ protocol, flags, sourcePort, destinationPort }: Transport): FirstPacket {
  return { protocol, flags, sourcePort, destinationPort, atNs: performance.now() * 1e6 };
}

/** A ring does not tell how many segments the card makes of a packet: on the wire it counts as one. */
function add(tally: Tally, bytes: number): void {
  tally.bytes += bytes;
  tally.wireBytes += bytes;
  tally.packets++;
  tally.wirePackets++;
}

function nothing(): BothWays {
  const none = { bytes: 0, wireBytes: 0, packets: 0, wirePackets: 0, directed: 0 };
  return { received: { ...none }, sent: { ...none } };
}

function empty(): BothWays & Pick<Entry, 'services'> {
  return { ...nothing(), services: new Set() };
}

function countOf({ services: _services, ...counts }: Entry): PeerCount {
  return snapshot(counts);
}

function snapshot<Counts extends BothWays>(entry: Counts): Counts {
  return { ...entry, received: { ...entry.received }, sent: { ...entry.sent } };
}
