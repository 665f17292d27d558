import type { SensorState } from '../../core/sensor.ts';

/** The first packet of one direction between this machine and a peer. */
export interface FirstPacket {
  /** Number of the protocol: 6 is TCP. */
  readonly protocol: number;
  /** Flags of TCP, or the type of an ICMP message. */
  readonly flags: number;
  /** Of TCP and UDP; otherwise 0. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Monotonic nanoseconds; comparable only with the other direction's. */
  readonly atNs: number;
}

/** Counts of one direction, since the counter was opened or the peer forgotten. */
export interface Counted {
  /** Bytes of IP packets as the kernel's taps see them: one packet for what the network card splits or joins. */
  readonly bytes: number;
  /** Bytes of IP packets as they are on the wire. */
  readonly wireBytes: number;
  readonly packets: number;
  readonly wirePackets: number;
  /**
   * Packets from one host to one other. Not multicast, broadcast and neighbour discovery, which are for everybody on the link;
   * a broadcast that we send is one of them only if it is to 255.255.255.255.
   */
  readonly directed: number;
}

/** A peer on an interface, or two other hosts for which this machine passes packets on. */
export interface PeerId {
  readonly interfaceIndex: number;
  /**
   * Text such as `192.0.2.1` or `2001:db8::1`: the source of received or the destination of sent packets; a multicast
   * group (`224.0.0.251`) if we sent to one.
   */
  readonly address: string;
  /** The other end, if it is no address of this machine: the destination of received or the source of sent packets. */
  readonly other?: string;
}

/** Counts of one peer on one interface. */
export interface PeerCount extends PeerId {
  readonly received: Counted;
  readonly sent: Counted;
  /** The first directed packet of each direction. */
  readonly firstReceived?: FirstPacket;
  readonly firstSent?: FirstPacket;
}

/** Counts on one interface that belong to no peer; with the peers' counts they add up to all traffic. */
export interface RestCount {
  readonly interfaceIndex: number;
  /**
   * `no-room`: peers beyond the table's capacity. `not-ip`: ARP and other protocols. `not-ours`: packets for
   * another host, seen because the interface is in promiscuous mode. `counted-above`: packets of ours on an interface that
   * another one stands on (the port of a bridge, a VLAN's trunk), where they are counted.
   */
  readonly kind: 'no-room' | 'not-ip' | 'not-ours' | 'counted-above';
  readonly received: Counted;
  readonly sent: Counted;
}

/**
 * A packet handed up: the first directed one of a peer in each direction, the first to each service, a DNS question or answer,
 * a ClientHello. Cut to 256 bytes, the last three to 4 KiB. A burst may fill the queue: packets are then not handed up, but
 * still counted.
 */
export interface SeenPacket {
  readonly interfaceIndex: number;
  readonly direction: 'in' | 'out';
  /** From the IP header on. Valid during the call only. */
  readonly bytes: Buffer;
  /** MAC address of the sender (`02:00:00:00:00:01`); undefined if the link has none or we are the sender. */
  readonly mac: string | undefined;
}

export interface OwnAddress {
  readonly address: string;
  /** Index of the interface under the one that has the address (macvlan), where its packets are seen a second time. */
  readonly below?: number;
}

/** The addresses that make a packet one of this machine. */
export interface MachineEnds {
  readonly addresses: readonly OwnAddress[];
  /** Broadcast addresses of its networks. */
  readonly broadcasts: readonly string[];
  /** Indexes of interfaces that are ports of a bridge or bond. */
  readonly ports: readonly number[];
}

export interface PeerCounterOptions {
  /** The present ones; `know` tells of changes. */
  readonly own: MachineEnds;
  /** May be called while `read` runs. It must not throw or call the counter. */
  readonly onPacket: (packet: SeenPacket) => void;
}

/** Counts IP traffic per peer and interface, without loopback. */
export interface PeerCounter extends Disposable {
  readonly backend: 'ebpf' | 'ring';
  /** Tells the counter which addresses are this machine's now. */
  know(own: MachineEnds): void;
  /** All peers there are, at most 16,384, and at most 4096 pairs of other hosts. */
  read(): readonly PeerCount[];
  rest(): readonly RestCount[];
  /**
   * Removes these peers and returns their last counts. Meant for silent peers: a packet
   * that another processor is counting at this very moment may be lost.
   */
  forget(peers: readonly PeerId[]): readonly PeerCount[];
  /** Packets that passed uncounted since the counter was opened: 0 where the kernel itself counts. */
  missedPackets(): number;
  /** Packets that were counted and had to be handed up, and that the full queue had no room for, since the counter was opened. */
  unseenPackets(): number;
}

/** A working counter and how it counts, or why there is none. */
export type OpenedCounter =
  | (SensorState & { readonly state: 'running' | 'limited'; readonly counter: PeerCounter })
  | (SensorState & { readonly state: 'unavailable' });
