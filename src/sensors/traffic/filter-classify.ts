import { maxExtensionHeaders } from '../../net/packets/ipv6.ts';
import {
  add,
  and,
  at,
  fromNetworkOrder,
  type Instruction,
  jump,
  jumpIf,
  label,
  load,
  move,
  r0,
  r1,
  r2,
  shiftLeft,
  shiftRight,
  store,
} from '../../sys/ebpf.ts';
import { packetTypes } from '../../sys/packet-socket.ts';
import { etherTypes, loopbackIndex } from './counting-rules.ts';
import {
  frame,
  kinds,
  length,
  loadBytes,
  lookup,
  ownKey,
  ownKinds,
  packet,
  packetType,
  pairKey,
  peerKey,
  skb,
  stack,
  transport,
} from './filter-layout.ts';

/** File descriptors of the maps that the filter uses. */
export interface FilterMaps {
  readonly peers: number;
  readonly pairs: number;
  readonly rest: number;
  readonly own: number;
  readonly ports: number;
  readonly services: number;
}

const { key, header, ownEnd } = frame;

/** Sets the key's interface and finds the peer's address; corrects the kind of packets of no peer. */
export const classify: readonly Instruction[] = [
  move(packet, r1),
  load(length, 'u32', at(packet, skb.length)),
  load(packetType, 'u32', at(packet, skb.packetType)),
  load(r0, 'u32', at(packet, skb.interfaceIndex)),
  jumpIf([r0, '==', loopbackIndex], 'ignore'),
  store('u32', stack(key + peerKey.interfaceIndex), r0),
  store('u32', stack(key + peerKey.kind), kinds.peer),
  store('u64', stack(frame.port), r0),
  store('u64', stack(frame.pair + pairKey.interfaceIndex), r0),
  ...[0, 8].flatMap((half) => [
    store('u64', stack(key + peerKey.address + half), 0),
    store('u64', stack(ownEnd + half), 0),
    // As with `transport` below.
    store('u64', stack(frame.pair + pairKey.address + half), 0),
    store('u64', stack(frame.pair + pairKey.other + half), 0),
  ]),
  ...[frame.protocol, frame.isUndirected, frame.first, frame.transportBytes, frame.isPair].map((place) =>
    store('u64', stack(place), 0),
  ),
  store('u64', stack(frame.wirePackets), 1),
  store('u64', stack(frame.wireBytes), length),
  // Needed although it is always set before it is read: without CAP_PERFMON the verifier also checks speculative branches.
  move(transport, 0),
  jumpIf([packetType, '==', packetTypes.otherHost], 'not ours'),
  // The interface of the VLAN, which has no tag any more, sees the packet as well.
  load(r0, 'u32', at(packet, skb.hasVlanTag)),
  jumpIf([r0, '!=', 0], 'counted above'),
  load(r0, 'u32', at(packet, skb.protocol)),
  fromNetworkOrder(r0, 16),
  jumpIf([r0, '==', etherTypes.ipv4], 'IPv4'),
  jumpIf([r0, '==', etherTypes.ipv6], 'IPv6'),
  jump('not IP'),
];

/** RFC 791 section 3.1. */
export const readIpv4: readonly Instruction[] = [
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
  store('u64', stack(frame.protocol), r0),
  store('u16', stack(key + peerKey.address + 10), 0xffff),
  store('u16', stack(ownEnd + 10), 0xffff),
  // From 224.0.0.0 on nobody has an address of his own.
  load(r0, 'u8', stack(header + 16)),
  jumpIf([r0, '<', 224], 'IPv4 ends'),
  store('u64', stack(frame.isUndirected), 1),
  label('IPv4 ends'),
  load(r0, 'u32', stack(header + 12)),
  load(r1, 'u32', stack(header + 16)),
  jumpIf([packetType, '!=', packetTypes.outgoing], 'IPv4 peer'),
  load(r0, 'u32', stack(header + 16)),
  load(r1, 'u32', stack(header + 12)),
  label('IPv4 peer'),
  store('u32', stack(key + peerKey.address + 12), r0),
  store('u32', stack(ownEnd + 12), r1),
  jump('own end'),
];

const source6 = header + 8;
const destination6 = header + 24;

/** Copies the two ends of an IPv6 packet. */
const endsOfIpv6 = (peer: number, own: number): readonly Instruction[] =>
  [0, 8].flatMap((half) => [
    load(r0, 'u64', stack(peer + half)),
    store('u64', stack(key + peerKey.address + half), r0),
    load(r0, 'u64', stack(own + half)),
    store('u64', stack(ownEnd + half), r0),
  ]);

/** Goes over one extension header (RFC 8200 section 4, RFC 4302); leaves the protocol 0 for a later fragment. */
function extensionHeader(n: number): readonly Instruction[] {
  return [
    label(`IPv6 header ${n}`),
    load(r0, 'u64', stack(frame.protocol)),
    ...[0, 43, 44, 51, 60].map((protocol) => jumpIf([r0, '==', protocol], `extension ${n}`)),
    jump('own end'),
    label(`extension ${n}`),
    ...loadBytes(transport, 8, 'own end'),
    load(r2, 'u64', stack(frame.protocol)),
    load(r1, 'u8', stack(header)),
    store('u64', stack(frame.protocol), r1),
    jumpIf([r2, '==', 44], `fragment ${n}`),
    load(r0, 'u8', stack(header + 1)),
    jumpIf([r2, '==', 51], `authentication ${n}`),
    add(r0, 1),
    shiftLeft(r0, 3),
    jump(`next ${n}`),
    label(`authentication ${n}`),
    add(r0, 2),
    shiftLeft(r0, 2),
    jump(`next ${n}`),
    label(`fragment ${n}`),
    load(r0, 'u16', stack(header + 2)),
    fromNetworkOrder(r0, 16),
    jumpIf([r0, '<', 8], `first fragment ${n}`),
    store('u64', stack(frame.protocol), 0),
    jump('own end'),
    label(`first fragment ${n}`),
    move(r0, 8),
    label(`next ${n}`),
    add(transport, r0),
  ];
}

/** RFC 8200 section 3. */
export const readIpv6: readonly Instruction[] = [
  label('IPv6'),
  ...loadBytes(0, 40, 'not IP'),
  move(transport, 40),
  load(r0, 'u8', stack(header + 6)),
  store('u64', stack(frame.protocol), r0),
  load(r0, 'u8', stack(destination6)),
  jumpIf([r0, '!=', 0xff], 'IPv6 ends'),
  store('u64', stack(frame.isUndirected), 1),
  label('IPv6 ends'),
  jumpIf([packetType, '==', packetTypes.outgoing], 'IPv6 sent'),
  ...endsOfIpv6(source6, destination6),
  jump('IPv6 header 0'),
  label('IPv6 sent'),
  ...endsOfIpv6(destination6, source6),
  ...Array.from({ length: maxExtensionHeaders }, (_, n) => extensionHeader(n)).flat(),
  label(`IPv6 header ${maxExtensionHeaders}`),
  jump('own end'),
];

/** Tells packets of this machine from those that it passes on, and from those that another interface counts. */
export const findOwnEnd = (maps: FilterMaps): readonly Instruction[] => [
  label('own end'),
  ...lookup(maps.own, ownEnd),
  jumpIf([r0, '==', 0], 'others'),
  load(r1, 'u32', at(r0, 0)),
  move(r2, r1),
  shiftRight(r2, ownKey.belowAt),
  load(r0, 'u64', stack(frame.port)),
  jumpIf([r2, '==', r0], 'counted above'),
  and(r1, 0xff),
  jumpIf([r1, '==', ownKinds.own], 'of ours'),
  jumpIf([packetType, '==', packetTypes.outgoing], 'of ours'),
  store('u64', stack(frame.isUndirected), 1),
  jump('of ours'),
  label('others'),
  jumpIf([packetType, '==', packetTypes.outgoing], 'pair'),
  load(r1, 'u64', stack(frame.isUndirected)),
  jumpIf([r1, '!=', 0], 'of ours'),
  label('pair'),
  store('u64', stack(frame.isPair), 1),
  ...[0, 8].flatMap((half) => [
    load(r0, 'u64', stack(key + peerKey.address + half)),
    store('u64', stack(frame.pair + pairKey.address + half), r0),
    load(r0, 'u64', stack(ownEnd + half)),
    store('u64', stack(frame.pair + pairKey.other + half), r0),
  ]),
  jump('transport'),
  label('of ours'),
  ...lookup(maps.ports, frame.port),
  jumpIf([r0, '!=', 0], 'counted above'),
];
