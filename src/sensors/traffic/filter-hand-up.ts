import {
  add,
  and,
  call,
  type Instruction,
  jump,
  jumpIf,
  label,
  load,
  loadMap,
  move,
  or,
  r0,
  r1,
  r2,
  r3,
  r4,
  shiftLeft,
  shiftRight,
  store,
} from '../../sys/ebpf.ts';
import { packetTypes } from '../../sys/packet-socket.ts';
import { echoRequests, namingPorts, protocols, tcpFlags } from './counting-rules.ts';
import {
  frame,
  helpers,
  loadBytes,
  lookup,
  packetType,
  peerKey,
  pointTo,
  serviceKey,
  stack,
  transport,
} from './filter-layout.ts';

/** Bits of `frame.first`. */
const firstBits = { flags: 8, sourcePort: 16, destinationPort: 32 } as const;

/** Puts a port of the packet into r0. */
const portOf = (which: 'sourcePort' | 'destinationPort'): readonly Instruction[] => [
  load(r0, 'u64', stack(frame.first)),
  shiftRight(r0, firstBits[which]),
  and(r0, 0xffff),
];

/** Questions of DNS that we send, and answers of DNS and mDNS that we receive, tell the names of peers. */
export const findDnsMessage: readonly Instruction[] = [
  load(r1, 'u64', stack(frame.protocol)),
  jumpIf([r1, '!=', protocols.udp], 'not UDP'),
  jumpIf([packetType, '==', packetTypes.outgoing], 'question'),
  ...portOf('sourcePort'),
  ...namingPorts.dnsAnswers.map((port) => jumpIf([r0, '==', port], 'whole')),
  jump('service'),
  label('question'),
  ...portOf('destinationPort'),
  ...namingPorts.dnsQuestions.map((port) => jumpIf([r0, '==', port], 'whole')),
  jump('service'),
];

/** A ClientHello that we send (RFC 8446 section 4.1.2: content type 22, handshake type 1) tells the name that a program asks for. */
export const findClientHello: readonly Instruction[] = [
  label('not UDP'),
  jumpIf([r1, '!=', protocols.tcp], 'service'),
  jumpIf([packetType, '!=', packetTypes.outgoing], 'service'),
  ...portOf('destinationPort'),
  ...namingPorts.tls.map((port) => jumpIf([r0, '==', port], 'TLS port')),
  jump('service'),
  label('TLS port'),
  load(r0, 'u64', stack(frame.transportBytes)),
  add(transport, r0),
  ...loadBytes(transport, 6, 'service'),
  load(r0, 'u8', stack(frame.header)),
  jumpIf([r0, '!=', 22], 'service'),
  load(r0, 'u8', stack(frame.header + 5)),
  jumpIf([r0, '==', 1], 'whole'),
];

/** Puts the direction into the bits of the service in r2. */
const addDirection = (then: string): readonly Instruction[] => [
  jumpIf([packetType, '!=', packetTypes.outgoing], then),
  or(r2, 1 << 8),
  jump(then),
];

/** A transport header that is cut off has none, and asks for no service. */
const hasPorts: readonly Instruction[] = [
  load(r0, 'u64', stack(frame.first)),
  shiftRight(r0, firstBits.sourcePort),
  jumpIf([r0, '==', 0], 'first'),
];

/** Goes to `hand up` if the service in r2 is new. */
const rememberService = (services: number): readonly Instruction[] => [
  label('find service'),
  load(r0, 'u64', stack(frame.port)),
  shiftLeft(r0, 32),
  or(r2, r0),
  store('u64', stack(frame.service + serviceKey.service), r2),
  ...[0, 8].flatMap((half) => [
    load(r0, 'u64', stack(frame.key + peerKey.address + half)),
    store('u64', stack(frame.service + serviceKey.address + half), r0),
  ]),
  ...lookup(services, frame.service),
  jumpIf([r0, '!=', 0], 'first'),
  store('u64', stack(frame.emptyCounts), 0),
  ...loadMap(r1, services),
  ...pointTo(r2, frame.service),
  ...pointTo(r3, frame.emptyCounts),
  move(r4, 0),
  call(helpers.update),
  jump('hand up'),
];

/** A datagram to everybody on the link may be a question: by the port that it comes from, an answer is known. */
const findAskingPort: readonly Instruction[] = [
  load(r1, 'u64', stack(frame.protocol)),
  jumpIf([r1, '!=', protocols.udp], 'ignore'),
  ...portOf('sourcePort'),
  jumpIf([r0, '==', 0], 'ignore'),
  shiftLeft(r0, 16),
  move(r2, protocols.udp | (1 << 9)),
  or(r2, r0),
  ...addDirection('find service'),
];

/**
 * Goes to `hand up` for the first packet of each service: a SYN of TCP by port and direction, a request of ICMP echo by
 * direction, UDP by the lower port, which is the same both ways; and for the first from each port that asks everybody.
 */
export const findService = (services: number): readonly Instruction[] => [
  label('service'),
  load(r1, 'u64', stack(frame.isUndirected)),
  jumpIf([r1, '==', 0], 'directed'),
  ...findAskingPort,
  label('directed'),
  load(r1, 'u64', stack(frame.protocol)),
  move(r2, r1),
  jumpIf([r1, '==', protocols.tcp], 'SYN'),
  jumpIf([r1, '==', protocols.udp], 'UDP service'),
  load(r0, 'u64', stack(frame.first)),
  and(r0, 0xffff),
  ...Object.values(echoRequests).map(({ protocol, type }) => jumpIf([r0, '==', (type << 8) | protocol], 'echo')),
  jump('first'),
  label('echo'),
  ...addDirection('find service'),
  label('SYN'),
  ...hasPorts,
  load(r0, 'u64', stack(frame.first)),
  shiftRight(r0, firstBits.flags),
  and(r0, tcpFlags.syn | tcpFlags.ack),
  jumpIf([r0, '!=', tcpFlags.syn], 'first'),
  ...portOf('destinationPort'),
  shiftLeft(r0, 16),
  or(r2, r0),
  ...addDirection('find service'),
  label('UDP service'),
  ...hasPorts,
  ...portOf('sourcePort'),
  move(r3, r0),
  ...portOf('destinationPort'),
  jumpIf([r0, '<=', r3], 'lower port'),
  move(r0, r3),
  label('lower port'),
  shiftLeft(r0, 16),
  or(r2, r0),
  ...rememberService(services),
];
