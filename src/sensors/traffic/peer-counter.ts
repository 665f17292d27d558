import type { SensorState } from '../../core/sensor.ts';

/** Counts of one direction, since the counter was opened or the peer forgotten. */
export interface Counted {
  /** Bytes of IP packets as the kernel's taps see them: one packet for what the network card splits or joins. */
  readonly bytes: number;
  /** Bytes of IP packets as they are on the wire. */
  readonly wireBytes: number;
  readonly packets: number;
  readonly wirePackets: number;
}

/** Counts of one peer on one interface: the source of received or the destination of sent packets. */
export interface PeerCount {
  readonly interfaceIndex: number;
  /** Text such as `192.0.2.1` or `2001:db8::1`; a multicast group (`224.0.0.251`) if we sent to one. */
  readonly address: string;
  readonly received: Counted;
  readonly sent: Counted;
}

/** Counts on one interface that belong to no peer; with the peers' counts they add up to all traffic. */
export interface RestCount {
  readonly interfaceIndex: number;
  /**
   * `no-room`: peers beyond the table's capacity. `not-ip`: ARP and other protocols. `not-ours`: packets for
   * another host, seen because the interface is in promiscuous mode.
   */
  readonly kind: 'no-room' | 'not-ip' | 'not-ours';
  readonly received: Counted;
  readonly sent: Counted;
}

/**
 * A packet handed up: the first of a new peer in each direction, a DNS answer or a ClientHello. Cut to 256 bytes, answers and
 * ClientHellos to 4 KiB. A burst may fill the queue: packets are then not handed up, but still counted.
 */
export interface SeenPacket {
  readonly interfaceIndex: number;
  readonly direction: 'in' | 'out';
  /** From the IP header on. Valid during the call only. */
  readonly bytes: Buffer;
  /** MAC address of the sender (`02:00:00:00:00:01`); undefined if the link has none or we are the sender. */
  readonly mac: string | undefined;
}

export interface PeerCounterOptions {
  /** May be called while `read` runs. It must not throw or call the counter. */
  readonly onPacket: (packet: SeenPacket) => void;
}

/** Counts IP traffic per peer and interface, without loopback. */
export interface PeerCounter extends Disposable {
  readonly backend: 'ebpf' | 'ring';
  /** All peers there are, at most 16,384. */
  read(): readonly PeerCount[];
  rest(): readonly RestCount[];
  /**
   * Removes these peers and returns their last counts. Meant for silent peers: a packet
   * that another processor is counting at this very moment may be lost.
   */
  forget(peers: readonly Pick<PeerCount, 'interfaceIndex' | 'address'>[]): readonly PeerCount[];
  /** Packets that passed uncounted since the counter was opened: 0 where the kernel itself counts. */
  missedPackets(): number;
}

/** A working counter and how it counts, or why there is none. */
export type OpenedCounter =
  | (SensorState & { readonly state: 'running' | 'limited'; readonly counter: PeerCounter })
  | (SensorState & { readonly state: 'unavailable' });
