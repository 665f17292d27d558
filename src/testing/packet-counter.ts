import { decodeIpPacket, type IpPacket } from '../net/packets/ip-packet.ts';
import type {
  Counted,
  OpenedCounter,
  PeerCount,
  PeerCounter,
  PeerCounterOptions,
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
type Entry = PeerCount & { readonly sent: Tally; readonly received: Tally };

/** Counts the packets that a test lets pass, and hands up as the kernel's filter does: first ones, answers, greetings. */
export class PacketCounter implements PeerCounter {
  readonly backend = 'ebpf';
  readonly #peers = new Map<string, Entry>();
  readonly forgotten: string[] = [];
  #onPacket: PeerCounterOptions['onPacket'] = () => {};
  noRoom: RestCount | undefined;
  missed = 0;

  open({ onPacket }: PeerCounterOptions): OpenedCounter {
    this.#onPacket = onPacket;
    return { state: 'running', message: 'a test counts', counter: this };
  }

  pass({ direction, bytes, mac, interfaceIndex = 2, isLost = false }: Passing): void {
    const packet = decodeIpPacket(bytes);
    if (!packet) throw new TypeError('expected an IP packet');
    const address = direction === 'in' ? packet.source : packet.destination;
    const peer = this.#peers.getOrInsertComputed(`${interfaceIndex} ${address}`, () => {
      return { interfaceIndex, address, sent: nothing(), received: nothing() };
    });
    const tally: Tally = direction === 'in' ? peer.received : peer.sent;
    const isFirst = tally.packets === 0;
    tally.packets++;
    tally.wirePackets++;
    tally.bytes += bytes.length;
    tally.wireBytes += bytes.length;
    if (!isLost && (isFirst || bearsNames(packet))) this.#onPacket({ interfaceIndex, direction, bytes, mac });
  }

  read(): readonly PeerCount[] {
    return [...this.#peers.values()].map((peer) => structuredClone(peer));
  }

  rest(): readonly RestCount[] {
    return this.noRoom ? [this.noRoom] : [];
  }

  forget(peers: readonly Pick<PeerCount, 'interfaceIndex' | 'address'>[]): readonly PeerCount[] {
    return peers.flatMap(({ interfaceIndex, address }) => {
      const key = `${interfaceIndex} ${address}`;
      const peer = this.#peers.get(key);
      this.#peers.delete(key);
      this.forgotten.push(address);
      return peer ? [peer] : [];
    });
  }

  missedPackets(): number {
    return this.missed;
  }

  [Symbol.dispose](): void {}
}

function bearsNames({ ports }: IpPacket): boolean {
  return [53, 5353].includes(ports?.source ?? 0) || ports?.destination === 443;
}

function nothing(): Tally {
  return { bytes: 0, wireBytes: 0, packets: 0, wirePackets: 0 };
}
