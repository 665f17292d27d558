/** What was counted of one peer on one interface since the counter was opened, or since the peer was forgotten. */
export interface PeerCount {
  readonly interfaceIndex: number;
  /** As text: `192.0.2.1`, `2001:db8::1`. */
  readonly address: string;
  readonly received: Counted;
  readonly sent: Counted;
}

export interface Counted {
  /** Of IP packets as the kernel's taps see them, one for what the network card cuts or joins. */
  readonly bytes: number;
  /** Of IP packets as they are on the wire. */
  readonly wireBytes: number;
  readonly packets: number;
}

/** A packet handed up: the first of a new peer, a DNS answer or a TLS greeting; cut to what is of use. */
export interface SeenPacket {
  readonly interfaceIndex: number;
  readonly direction: 'in' | 'out';
  /** From the IP header on. Valid during the call only. */
  readonly bytes: Buffer;
  /** Of the sender; undefined where the link has none, or we are the sender. */
  readonly mac: string | undefined;
}

export interface PeerCounterOptions {
  readonly onPacket: (packet: SeenPacket) => void;
}

/** Counts IP traffic per peer and interface, loopback apart. */
export interface PeerCounter extends Disposable {
  readonly backend: 'ebpf' | 'ring';
  /** All peers there are. */
  read(): readonly PeerCount[];
  /** By interface: what was counted of peers for which there was no room. */
  overflow(): readonly Omit<PeerCount, 'address'>[];
  /** Drops these peers and returns what was counted of them up to this moment: nothing in between is lost. */
  forget(peers: readonly Pick<PeerCount, 'interfaceIndex' | 'address'>[]): readonly PeerCount[];
  /** Packets that the kernel could not hand to this counter since it was opened: 0 where the kernel itself counts. */
  missedPackets(): number;
}
