import { ipv6Text } from '../../net/packets/ipv6.ts';
import type { RingPacket } from '../../sys/packet-ring.ts';
import { packetTypes } from '../../sys/packet-socket.ts';
import { bearsNames } from './naming-packet.ts';
import { addressBytes, ipv4Text } from './peer-address.ts';
import type { Counted, PeerCount, RestCount } from './peer-counter.ts';
import { etherTypes, handedUp } from './counting-rules.ts';

type Tally = { -readonly [Key in keyof Counted]: Counted[Key] };
type BothWays = { readonly received: Tally; readonly sent: Tally };
type PeerName = Pick<PeerCount, 'interfaceIndex' | 'address'>;

/** Interface and address in one: a number for IPv4, which is fast to build, text for IPv6. */
type Key = number | string;

/** Counts packets in this process as the filter does in the kernel. */
export class PeerTable {
  readonly #peers = new Map<Key, PeerCount & BothWays>();
  readonly #rest = new Map<string, RestCount & BothWays>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Returns how many bytes of the packet are handed up. */
  count(packet: RingPacket): number {
    const way = packet.type === packetTypes.outgoing ? 'sent' : 'received';
    const kind = kindOf(packet);
    const peer = kind === 'peer' ? this.#peer(packet, way) : undefined;
    if (!peer) {
      add(this.#restOf(packet.interfaceIndex, kind === 'peer' ? 'no-room' : kind)[way], packet.length);
      return 0;
    }
    const isFirst = peer[way].packets === 0;
    add(peer[way], packet.length);
    if (bearsNames(packet)) return handedUp.whole;
    return isFirst ? handedUp.first : 0;
  }

  read(): PeerCount[] {
    return [...this.#peers.values()].map(snapshot);
  }

  rest(): RestCount[] {
    return [...this.#rest.values()].map(snapshot);
  }

  /** Removes a peer; undefined if there is none. */
  take({ interfaceIndex, address }: PeerName): PeerCount | undefined {
    const isIpv4 = !address.includes(':');
    const key = keyOf(interfaceIndex, { isIpv4, bytes: addressBytes(address), start: isIpv4 ? 12 : 0 });
    const peer = this.#peers.get(key);
    this.#peers.delete(key);
    return peer;
  }

  /** Undefined if there is no room for another one. */
  #peer({ interfaceIndex, protocol, bytes, start }: RingPacket, way: keyof BothWays): BothWays | undefined {
    const isIpv4 = protocol === etherTypes.ipv4;
    const from = start + (isIpv4 ? 12 : 8);
    const size = isIpv4 ? 4 : 16;
    const at = way === 'sent' ? from + size : from;
    const key = keyOf(interfaceIndex, { isIpv4, bytes, start: at });
    const known = this.#peers.get(key);
    if (known || this.#peers.size >= this.#capacity) return known;
    const address = isIpv4 ? ipv4Text(bytes, at) : ipv6Text(bytes.subarray(at));
    const peer = { interfaceIndex, address, ...nothing() };
    this.#peers.set(key, peer);
    return peer;
  }

  #restOf(interfaceIndex: number, kind: RestCount['kind']): BothWays {
    return this.#rest.getOrInsertComputed(`${interfaceIndex} ${kind}`, () => ({ interfaceIndex, kind, ...nothing() }));
  }
}

interface PacketAddress {
  readonly isIpv4: boolean;
  readonly bytes: Buffer;
  readonly start: number;
}

// A number holds both exactly up to two million interfaces.
function keyOf(interfaceIndex: number, { isIpv4, bytes, start }: PacketAddress): Key {
  if (isIpv4) return interfaceIndex * 2 ** 32 + bytes.readUInt32BE(start);
  return `${interfaceIndex} ${bytes.toString('latin1', start, start + 16)}`;
}

function kindOf({ type, protocol, start, end }: RingPacket): 'peer' | 'not-ours' | 'not-ip' {
  if (type === packetTypes.otherHost) return 'not-ours';
  const isIpv4 = protocol === etherTypes.ipv4 && end - start >= 20;
  const isIpv6 = protocol === etherTypes.ipv6 && end - start >= 40;
  return isIpv4 || isIpv6 ? 'peer' : 'not-ip';
}

/** A ring does not tell how many segments the card makes of a packet: on the wire it counts as one. */
function add(tally: Tally, bytes: number): void {
  tally.bytes += bytes;
  tally.wireBytes += bytes;
  tally.packets++;
  tally.wirePackets++;
}

function nothing(): BothWays {
  const none = { bytes: 0, wireBytes: 0, packets: 0, wirePackets: 0 };
  return { received: { ...none }, sent: { ...none } };
}

function snapshot<Entry extends BothWays>(entry: Entry): Entry {
  return { ...entry, received: { ...entry.received }, sent: { ...entry.sent } };
}
