import {
  add,
  at,
  call,
  type Instruction,
  jumpIf,
  loadMap,
  move,
  type MemoryOperand,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
  r7,
  r8,
  r9,
  r10,
  type Register,
  store,
} from '../../sys/ebpf.ts';

// The kind comes first: without CAP_PERFMON, Linux 6.1 forbids writing half of a word that begins with a stored register.
/** The key of a peer: kind (u32), interface index (u32), address (16 bytes, IPv4 as ::ffff:a.b.c.d). */
export const peerKey = { kind: 0, interfaceIndex: 4, address: 8, size: 24 } as const;
/** The key of packets of no peer is the first part of it. */
export const restKeyBytes = 8;
/** The key of a pair of other hosts: interface index (u64), the end that stands where a peer would, the other end. */
export const pairKey = { interfaceIndex: 0, address: 8, other: 24, size: 40 } as const;
/** The key of a service of a peer: protocol (u8), direction (u8), port (u16), interface index (u32), address. */
export const serviceKey = { service: 0, interfaceIndex: 4, address: 8, size: 24 } as const;
/** The value of peers, pairs and rest: numbers (u64) for what was received, then for what was sent. */
export const counts = {
  bytes: 0,
  wireBytes: 8,
  packets: 16,
  wirePackets: 24,
  directed: 32,
  /** Of the first directed packet: protocol (u8), flags (u8), two bytes for the source port, two for the destination port. */
  first: 40,
  firstAtNs: 48,
  sent: 56,
  size: 112,
} as const;
export const kinds = { peer: 0, 'no-room': 1, 'not-ip': 2, 'not-ours': 3, 'counted-above': 4 } as const;

/** What the filter knows of an address of this machine: one of these, and behind it (<< 8) the interface below. */
export const ownKinds = { own: 1, broadcast: 2 } as const;
export const ownKey = { size: 16, valueBytes: 4, belowAt: 8 } as const;
export const portKey = { size: 4, valueBytes: 4 } as const;
export const serviceValueBytes = 8;

// Registers that survive calls. The filter gets a `struct __sk_buff`, whose packet begins with the IP header in both directions.
export const packet = r6;
export const length = r7;
export const packetType = r8;
export const transport = r9;

export const skb = {
  length: 0,
  packetType: 4,
  protocol: 16,
  hasVlanTag: 20,
  interfaceIndex: 40,
  segments: 164,
} as const;
export const helpers = { lookup: 1, update: 2, nanoseconds: 5, loadBytes: 26 } as const;
const updateOnlyNew = 1;

/** Where the filter keeps what it knows of the packet, below r10. */
export const frame = {
  key: -24,
  header: -64,
  /** The end that is ours, unless the packet is passed on. */
  ownEnd: -80,
  emptyCounts: -192,
  protocol: -200,
  wirePackets: -208,
  wireBytes: -216,
  /** Directed packets of the entry before this one. */
  metBefore: -224,
  /** 1 for a packet that is for everybody on the link. */
  isUndirected: -232,
  /** As `counts.first`. */
  first: -240,
  /** Length of the header of TCP or UDP; 0 of others. */
  transportBytes: -248,
  entry: -256,
  pair: -296,
  service: -320,
  port: -328,
  isPair: -336,
} as const;

export const stack = (offset: number): MemoryOperand => at(r10, offset);
export const pointTo = (register: Register, offset: number): readonly Instruction[] => [
  move(register, r10),
  add(register, offset),
];

/** Copies bytes of the packet, from an offset that is a constant or in a register, to the stack. */
export const loadBytes = (from: Register | number, bytes: number, otherwise: string): readonly Instruction[] => [
  move(r1, packet),
  move(r2, from),
  ...pointTo(r3, frame.header),
  move(r4, bytes),
  call(helpers.loadBytes),
  jumpIf([r0, '!=', 0], otherwise),
];

/** Finds the entry with the key at this place of the stack: its address in r0, or 0. */
export const lookup = (map: number, key: number): readonly Instruction[] => [
  ...loadMap(r1, map),
  ...pointTo(r2, key),
  call(helpers.lookup),
];

/** Goes to `found` with the entry's address in r0; falls through if there is no room for a new one. */
export const findOrAdd = (map: number, key: number, found: string): readonly Instruction[] => [
  ...lookup(map, key),
  jumpIf([r0, '!=', 0], found),
  ...Array.from({ length: counts.size / 8 }, (_, index) => store('u64', stack(frame.emptyCounts + 8 * index), 0)),
  ...loadMap(r1, map),
  ...pointTo(r2, key),
  ...pointTo(r3, frame.emptyCounts),
  move(r4, updateOnlyNew),
  call(helpers.update),
  // Also if the update failed: another processor may have added the entry since.
  ...lookup(map, key),
  jumpIf([r0, '!=', 0], found),
];
