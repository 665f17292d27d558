import type { SensorState } from '../../core/sensor.ts';

/** One way, since the counter was opened, or since the peer was forgotten. */
export interface Counted {
  /** Of IP packets as the kernel's taps see them, one for what the network card cuts or joins. */
  readonly bytes: number;
  /** Of IP packets as they are on the wire. */
  readonly wireBytes: number;
  readonly packets: number;
  readonly wirePackets: number;
}

/** What was counted of one peer on one interface: the host that sent what came in, or that what went out is for. */
export interface PeerCount {
  readonly interfaceIndex: number;
  /** As text: `192.0.2.1`, `2001:db8::1`; a group (`224.0.0.251`) where we sent to one. */
  readonly address: string;
  readonly received: Counted;
  readonly sent: Counted;
}

/** What was counted on one interface of no peer: with the peers it makes the whole that passed. */
export interface RestCount {
  readonly interfaceIndex: number;
  /**
   * `no-room`: of peers beyond those that the table holds. `not-ip`: ARP and other protocols than IP. `not-ours`: for
   * another host, seen because the interface listens to everything.
   */
  readonly kind: 'no-room' | 'not-ip' | 'not-ours';
  readonly received: Counted;
  readonly sent: Counted;
}

/**
 * A packet handed up: the first of a new peer, each way; a DNS answer; a TLS greeting. Cut to 256 bytes, answers and
 * greetings to 4 KiB. None of them is sure to come: a burst may fill the queue, what was counted is counted all the same.
 */
export interface SeenPacket {
  readonly interfaceIndex: number;
  readonly direction: 'in' | 'out';
  /** From the IP header on. Valid during the call only. */
  readonly bytes: Buffer;
  /** Of the sender (`02:00:00:00:00:01`); undefined where the link has none, or we are the sender. */
  readonly mac: string | undefined;
}

export interface PeerCounterOptions {
  /** May be called while `read` runs. Must not throw, and not call the counter. */
  readonly onPacket: (packet: SeenPacket) => void;
}

/** Counts IP traffic per peer and interface, all but loopback. */
export interface PeerCounter extends Disposable {
  readonly backend: 'ebpf' | 'ring';
  /** All peers there are, at most 16,384. */
  read(): readonly PeerCount[];
  rest(): readonly RestCount[];
  /**
   * Drops these peers and returns what was counted of them up to this moment. For peers that are silent: of a packet
   * that is being counted on another processor in these nanoseconds the count may be lost.
   */
  forget(peers: readonly Pick<PeerCount, 'interfaceIndex' | 'address'>[]): readonly PeerCount[];
  /** Packets that passed uncounted since the counter was opened: 0 where the kernel itself counts. */
  missedPackets(): number;
}

/** A counter at work, and how well it does; or why there is none. */
export type OpenedCounter =
  | (SensorState & { readonly state: 'running' | 'limited'; readonly counter: PeerCounter })
  | (SensorState & { readonly state: 'unavailable' });
