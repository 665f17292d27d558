import {
  add,
  addAtomically,
  and,
  assemble,
  at,
  call,
  exit,
  fromNetworkOrder,
  type Instruction,
  jump,
  jumpIf,
  label,
  load,
  loadMap,
  move,
  multiply,
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
  shiftLeft,
  shiftRight,
  store,
  subtract,
} from '../../sys/ebpf.ts';
import { packetTypes } from '../../sys/packet-socket.ts';
import { etherTypes, handedUp, loopbackIndex, namingPorts, protocols } from './counting-rules.ts';

// The kind comes first: without CAP_PERFMON, Linux 6.1 forbids writing half of a word that begins with a stored register.
/** The key of a peer: kind (u32), interface index (u32), address (16 bytes, IPv4 as ::ffff:a.b.c.d). */
export const peerKey = { kind: 0, interfaceIndex: 4, address: 8, size: 24 } as const;
/** The key of packets of no peer is the first part of it. */
export const restKeyBytes = 8;
/** The value of both: four numbers (u64) for what was received, then four for what was sent. */
export const counts = { bytes: 0, wireBytes: 8, packets: 16, wirePackets: 24, sent: 32, size: 64 } as const;
export const kinds = { peer: 0, 'no-room': 1, 'not-ip': 2, 'not-ours': 3 } as const;

// Registers that survive calls. The filter gets a `struct __sk_buff`, whose packet begins with the IP header in both directions.
const packet = r6;
const length = r7;
const packetType = r8;
const transport = r9;

const skb = { length: 0, packetType: 4, protocol: 16, interfaceIndex: 40, segments: 164 } as const;
const helpers = { lookup: 1, update: 2, loadBytes: 26 } as const;
const updateOnlyNew = 1;

const key = -24;
const header = -64;
const emptyCounts = -128;
const protocol = -136;
const wirePackets = -144;
const wireBytes = -152;
const metBefore = -160;

const stack = (offset: number): MemoryOperand => at(r10, offset);
const pointTo = (register: Register, offset: number): readonly Instruction[] => [
  move(register, r10),
  add(register, offset),
];

/** Copies bytes of the packet, from an offset that is a constant or in a register, to the stack. */
const loadBytes = (from: Register | number, bytes: number, otherwise: string): readonly Instruction[] => [
  move(r1, packet),
  move(r2, from),
  ...pointTo(r3, header),
  move(r4, bytes),
  call(helpers.loadBytes),
  jumpIf([r0, '!=', 0], otherwise),
];

const lookup = (map: number): readonly Instruction[] => [
  ...loadMap(r1, map),
  ...pointTo(r2, key),
  call(helpers.lookup),
];

/** Goes to `found` with the entry's address in r0; falls through if there is no room for a new one. */
const findOrAdd = (map: number, found: string): readonly Instruction[] => [
  ...lookup(map),
  jumpIf([r0, '!=', 0], found),
  ...Array.from({ length: counts.size / 8 }, (_, index) => store('u64', stack(emptyCounts + 8 * index), 0)),
  ...loadMap(r1, map),
  ...pointTo(r2, key),
  ...pointTo(r3, emptyCounts),
  move(r4, updateOnlyNew),
  call(helpers.update),
  // Also if the update failed: another processor may have added the entry since.
  ...lookup(map),
  jumpIf([r0, '!=', 0], found),
];

/** Sets the key's interface and finds the peer's address; corrects the kind of packets of no peer. */
const classify: readonly Instruction[] = [
  move(packet, r1),
  load(length, 'u32', at(packet, skb.length)),
  load(packetType, 'u32', at(packet, skb.packetType)),
  load(r0, 'u32', at(packet, skb.interfaceIndex)),
  jumpIf([r0, '==', loopbackIndex], 'ignore'),
  store('u32', stack(key + peerKey.interfaceIndex), r0),
  store('u32', stack(key + peerKey.kind), kinds.peer),
  store('u64', stack(key + peerKey.address), 0),
  store('u64', stack(key + peerKey.address + 8), 0),
  store('u64', stack(protocol), 0),
  store('u64', stack(wirePackets), 1),
  store('u64', stack(wireBytes), length),
  // Needed although it is always set before it is read: without CAP_PERFMON the verifier also checks speculative branches.
  move(transport, 0),
  jumpIf([packetType, '==', packetTypes.otherHost], 'not ours'),
  load(r0, 'u32', at(packet, skb.protocol)),
  fromNetworkOrder(r0, 16),
  jumpIf([r0, '==', etherTypes.ipv4], 'IPv4'),
  jumpIf([r0, '==', etherTypes.ipv6], 'IPv6'),
  jump('not IP'),
];

/** RFC 791 section 3.1. */
const readIpv4: readonly Instruction[] = [
  label('IPv4'),
  ...loadBytes(0, 20, 'not IP'),
  load(transport, 'u8', stack(header)),
  and(transport, 0x0f),
  shiftLeft(transport, 2),
  load(r0, 'u8', stack(header + 9)),
  // Later fragments have no ports: data stands in their place.
  load(r1, 'u16', stack(header + 6)),
  fromNetworkOrder(r1, 16),
  and(r1, 0x1fff),
  jumpIf([r1, '==', 0], 'IPv4 protocol'),
  move(r0, 0),
  label('IPv4 protocol'),
  store('u64', stack(protocol), r0),
  store('u16', stack(key + peerKey.address + 10), 0xffff),
  load(r0, 'u32', stack(header + 12)),
  jumpIf([packetType, '!=', packetTypes.outgoing], 'IPv4 peer'),
  load(r0, 'u32', stack(header + 16)),
  label('IPv4 peer'),
  store('u32', stack(key + peerKey.address + 12), r0),
  jump('segments'),
];

/** RFC 8200 section 3. Packets with extension headers are counted, but their transport header is not read. */
const readIpv6: readonly Instruction[] = [
  label('IPv6'),
  ...loadBytes(0, 40, 'not IP'),
  move(transport, 40),
  load(r0, 'u8', stack(header + 6)),
  store('u64', stack(protocol), r0),
  load(r0, 'u64', stack(header + 8)),
  load(r1, 'u64', stack(header + 16)),
  jumpIf([packetType, '!=', packetTypes.outgoing], 'IPv6 peer'),
  load(r0, 'u64', stack(header + 24)),
  load(r1, 'u64', stack(header + 32)),
  label('IPv6 peer'),
  store('u64', stack(key + peerKey.address), r0),
  store('u64', stack(key + peerKey.address + 8), r1),
];

/** A packet that the network card will split or has joined appears once; on the wire each segment has its own headers. */
const countSegments: readonly Instruction[] = [
  label('segments'),
  load(r0, 'u32', at(packet, skb.segments)),
  jumpIf([r0, '<', 2], 'find peer'),
  store('u64', stack(wirePackets), r0),
  load(r1, 'u64', stack(protocol)),
  move(r0, 8),
  jumpIf([r1, '==', protocols.udp], 'header of segments'),
  jumpIf([r1, '!=', protocols.tcp], 'find peer'),
  ...loadBytes(transport, 14, 'find peer'),
  load(r0, 'u8', stack(header + 12)),
  shiftRight(r0, 4),
  shiftLeft(r0, 2),
  label('header of segments'),
  add(r0, transport),
  load(r1, 'u64', stack(wirePackets)),
  subtract(r1, 1),
  multiply(r0, r1),
  add(r0, length),
  store('u64', stack(wireBytes), r0),
];

const count: readonly Instruction[] = [
  label('count'),
  jumpIf([packetType, '!=', packetTypes.outgoing], 'count way'),
  add(r0, counts.sent),
  label('count way'),
  load(r1, 'u64', at(r0, counts.packets)),
  store('u64', stack(metBefore), r1),
  addAtomically(at(r0, counts.bytes), length),
  load(r1, 'u64', stack(wireBytes)),
  addAtomically(at(r0, counts.wireBytes), r1),
  move(r1, 1),
  addAtomically(at(r0, counts.packets), r1),
  load(r1, 'u64', stack(wirePackets)),
  addAtomically(at(r0, counts.wirePackets), r1),
  load(r1, 'u32', stack(key + peerKey.kind)),
  jumpIf([r1, '!=', kinds.peer], 'ignore'),
];

/** Received answers of DNS and mDNS tell the names of peers. */
const findDnsAnswer: readonly Instruction[] = [
  load(r1, 'u64', stack(protocol)),
  jumpIf([r1, '==', protocols.tcp], 'TCP'),
  jumpIf([r1, '!=', protocols.udp], 'first'),
  jumpIf([packetType, '==', packetTypes.outgoing], 'first'),
  ...loadBytes(transport, 8, 'first'),
  load(r0, 'u16', stack(header)),
  fromNetworkOrder(r0, 16),
  ...namingPorts.dns.map((port) => jumpIf([r0, '==', port], 'whole')),
  jump('first'),
];

/** A ClientHello that we send (RFC 8446 section 4.1.2: content type 22, handshake type 1) names the peer too. */
const findClientHello: readonly Instruction[] = [
  label('TCP'),
  jumpIf([packetType, '!=', packetTypes.outgoing], 'first'),
  ...loadBytes(transport, 14, 'first'),
  load(r0, 'u16', stack(header + 2)),
  fromNetworkOrder(r0, 16),
  ...namingPorts.tls.map((port) => jumpIf([r0, '==', port], 'TLS port')),
  jump('first'),
  label('TLS port'),
  load(r0, 'u8', stack(header + 12)),
  shiftRight(r0, 4),
  shiftLeft(r0, 2),
  add(transport, r0),
  ...loadBytes(transport, 6, 'first'),
  load(r0, 'u8', stack(header)),
  jumpIf([r0, '!=', 22], 'first'),
  load(r0, 'u8', stack(header + 5)),
  jumpIf([r0, '!=', 1], 'first'),
];

/** Returns how many bytes of the packet are handed up. */
const handUp: readonly Instruction[] = [
  label('whole'),
  move(r0, handedUp.whole),
  exit(),
  label('first'),
  load(r1, 'u64', stack(metBefore)),
  jumpIf([r1, '!=', 0], 'ignore'),
  move(r0, handedUp.first),
  exit(),
  label('ignore'),
  move(r0, 0),
  exit(),
];

const restOf = (kind: keyof typeof kinds, name: string): readonly Instruction[] => [
  label(name),
  store('u32', stack(key + peerKey.kind), kinds[kind]),
  jump('find rest'),
];

/** The socket filter that counts all packets in two hash maps, given by their file descriptors. */
export function peerFilter(maps: { readonly peers: number; readonly rest: number }): Buffer {
  return assemble([
    ...classify,
    ...readIpv4,
    ...readIpv6,
    ...countSegments,
    label('find peer'),
    ...findOrAdd(maps.peers, 'count'),
    ...restOf('no-room', 'no room'),
    ...restOf('not-ip', 'not IP'),
    ...restOf('not-ours', 'not ours'),
    label('find rest'),
    ...findOrAdd(maps.rest, 'count'),
    jump('ignore'),
    ...count,
    ...findDnsAnswer,
    ...findClientHello,
    ...handUp,
  ]);
}
