import { decodeIpPacket, type IpPacket } from '../net/packets/ip-packet.ts';
import { seenTransport, type SeenTransport } from '../sensors/traffic/beginning.ts';
import type {
  Counted,
  FirstPacket,
  OpenedCounter,
  MachineEnds,
  PeerCount,
  PeerCounter,
  PeerCounterOptions,
  PeerId,
  RestCount,
} from '../sensors/traffic/peer-counter.ts';

interface Passing {
  readonly direction: 'in' | 'out';
  /** An IP packet. */
  readonly bytes: Buffer;
  readonly mac?: string;
  /** 2 unless told otherwise. */
  readonly interfaceIndex?: number;
  /** The queue is full: the packet is counted and not handed up. */
  readonly isLost?: boolean;
}

type Tally = { -readonly [Key in keyof Counted]: Counted[Key] };
type Entry = PeerId & {
  readonly sent: Tally;
  readonly received: Tally;
  firstSent?: FirstPacket;
  firstReceived?: FirstPacket;
  readonly services: Set<string>;
};

/** Counts the packets that a test lets pass, and hands up as the kernel's filter does. IPv4 only. */
export class PacketCounter implements PeerCounter {
  readonly backend = 'ebpf';
  readonly #peers = new Map<string, Entry>();
  readonly forgotten: string[] = [];
  #onPacket: PeerCounterOptions['onPacket'] = () => {};
  #own: ReadonlySet<string> = new Set();
  #broadcasts: ReadonlySet<string> = new Set();
  #packets = 0;
  noRoom: RestCount | undefined;
  missed = 0;
  unseen = 0;

  open({ own, onPacket }: PeerCounterOptions): OpenedCounter {
    this.#onPacket = onPacket;
    this.know(own);
    return { state: 'running', message: 'a test counts', counter: this };
  }

  know({ addresses, broadcasts }: MachineEnds): void {
    this.#own = new Set(addresses.map(({ address }) => address));
    this.#broadcasts = new Set(broadcasts);
  }

  pass({ direction, bytes, mac, interfaceIndex = 2, isLost = false }: Passing): void {
    const packet = read(bytes);
    const isForAll = this.#isForAll(packet, direction);
    const id = { interfaceIndex, ...this.#endsOf(packet, direction) };
    const peer = this.#peers.getOrInsertComputed(keyOf(id), () => newEntry(id));
    const tally = direction === 'in' ? peer.received : peer.sent;
    addBytes(tally, bytes.length);
    const isFirst = !isForAll && tally.directed++ === 0;
    if (isFirst) noteFirst(peer, { ...seenTransport(bytes, direction), atNs: ++this.#packets });
    const isOfNote = id.other === undefined && isOfNoteTo(peer, { packet, direction, isForAll });
    if (!isLost && (isFirst || isOfNote)) this.#onPacket({ interfaceIndex, direction, bytes, mac });
  }

  #isForAll({ destination }: IpPacket, direction: string): boolean {
    return isGroup(destination) || (direction === 'in' && this.#broadcasts.has(destination));
  }

  /** The peer, and the other end if it is not this machine's. */
  #endsOf(packet: IpPacket, direction: string): Omit<PeerId, 'interfaceIndex'> {
    const { source, destination } = packet;
    const [address, own] = direction === 'in' ? [source, destination] : [destination, source];
    const isOurs = this.#own.has(own) || this.#broadcasts.has(own);
    const isHeard = direction === 'in' && this.#isForAll(packet, direction);
    return { address, ...(!isOurs && !isHeard && { other: own }) };
  }

  read(): readonly PeerCount[] {
    return Array.from(this.#peers.values(), countOf);
  }

  rest(): readonly RestCount[] {
    return this.noRoom ? [this.noRoom] : [];
  }

  forget(peers: readonly PeerId[]): readonly PeerCount[] {
    return peers.flatMap((id) => {
      const peer = this.#peers.get(keyOf(id));
      this.#peers.delete(keyOf(id));
      this.forgotten.push(id.address);
      return peer ? [countOf(peer)] : [];
    });
  }

  missedPackets(): number {
    return this.missed;
  }

  unseenPackets(): number {
    return this.unseen;
  }

  [Symbol.dispose](): void {}
}

function read(bytes: Buffer): IpPacket {
  const packet = decodeIpPacket(bytes);
  if (!packet) throw new TypeError('expected an IP packet');
  return packet;
}

function newEntry(id: PeerId): Entry {
  return { ...id, sent: nothing(), received: nothing(), services: new Set() };
}

function noteFirst(peer: Entry, { direction, ...first }: SeenTransport & FirstPacket): void {
  peer[direction === 'in' ? 'firstReceived' : 'firstSent'] = first;
}

interface Looked extends Pick<Passing, 'direction'> {
  readonly packet: IpPacket;
  readonly isForAll: boolean;
}

/** True for the first packet to a service, the first from a port that asks everybody, and for one that bears names. */
function isOfNoteTo({ services }: Entry, { packet, direction, isForAll }: Looked): boolean {
  const service = isForAll ? `asks from ${packet.ports?.source}` : serviceOf(packet, direction);
  const isNew = (!isForAll || packet.protocol === 17) && !services.has(service);
  if (isNew) services.add(service);
  return isNew || bearsNames(packet, direction);
}

function addBytes(tally: Tally, bytes: number): void {
  tally.packets++;
  tally.wirePackets++;
  tally.bytes += bytes;
  tally.wireBytes += bytes;
}

function keyOf({ interfaceIndex, address, other = '' }: PeerId): string {
  return `${interfaceIndex} ${address} ${other}`;
}

function countOf({ services: _services, ...count }: Entry): PeerCount {
  return structuredClone(count);
}

function isGroup(address: string): boolean {
  return Number(address.split('.')[0]) >= 224;
}

function serviceOf({ protocol, ports }: IpPacket, direction: string): string {
  return protocol === 17
    ? `udp ${Math.min(ports?.source ?? 0, ports?.destination ?? 0)}`
    : `${protocol} ${direction} ${ports?.destination}`;
}

function bearsNames({ ports }: IpPacket, direction: string): boolean {
  if (direction === 'out') return [53, 443].includes(ports?.destination ?? 0);
  return [53, 5353].includes(ports?.source ?? 0);
}

function nothing(): Tally {
  return { bytes: 0, wireBytes: 0, packets: 0, wirePackets: 0, directed: 0 };
}
