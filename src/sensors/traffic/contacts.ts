import { BoundedMap } from '../../core/bounded-map.ts';
import type { ContactDirection, PeerClass, SensorRecord } from '../../core/record.ts';
import { beginningOf, isDiscovery, isWithoutTransport, type Beginning, type SeenTransport } from './beginning.ts';
import { AskingPorts } from './asking-ports.ts';
import { ContactBudget, type ContactEvent } from './contact-budget.ts';
import { protocols } from './counting-rules.ts';
import type { PeerId } from './peer-counter.ts';
import type { BothWays } from './rates.ts';

type Contact = Extract<SensorRecord, { event: 'lan-access' | 'forbidden-peer' }>;

/** A directed packet between this machine and a peer. */
export interface Meeting extends PeerId {
  readonly seen: SeenTransport;
}

export interface ContactRules {
  /** What a contact with the peer is; undefined if it needs no notice. */
  readonly eventFor: (address: string) => ContactEvent | undefined;
  readonly classOf: (address: string) => PeerClass;
}

interface ContactsParts {
  readonly rules: ContactRules;
  /** More facts about a peer. */
  readonly describe: (peer: PeerId) => Pick<Contact, 'interface' | 'names' | 'mac'>;
  readonly record: (record: SensorRecord) => void;
}

interface KnownPeer {
  event: ContactEvent | undefined;
  /** The beginnings that were seen, so that each is judged once, and those that were told. */
  readonly seen: Set<string>;
  readonly told: Set<string>;
  /** What was used between the two, as text for a person. */
  readonly services: Set<string>;
  /** Ports of UDP on this side and on the other: an answer is not a contact. */
  readonly conversations: Set<string>;
  isPortScanTold: boolean;
  /** Bytes that had been exchanged with it on each interface when it was met. */
  readonly wireAtFirst: ReadonlyMap<number, number>;
  nextVolume: number;
}

/** What was exchanged with a peer on an interface since the sensor started. */
export interface PeerVolume extends PeerId {
  readonly wire: Readonly<BothWays>;
}

const maxKnown = 65_536;
/** Services of one peer that are told one by one. */
const maxServices = 16;
const maxConversations = 256;
const maxSeen = 1024;
/** Bytes with a peer at which it is told again how much it was, then at ten times as many, and so on. */
const firstVolume = 1_000_000;

/**
 * Reports contacts with peers that are forbidden, or in the intranet and not allowed: who contacted whom, once for each kind of
 * contact, and again when they have been silent to each other for long, or exchanged much.
 */
export class Contacts {
  readonly #parts: ContactsParts;
  readonly #known = new BoundedMap<string, KnownPeer>(maxKnown);
  readonly #budget: ContactBudget;
  readonly #asking = new AskingPorts();

  constructor(parts: ContactsParts) {
    this.#parts = parts;
    this.#budget = new ContactBudget(parts.record);
  }

  /** Takes a directed packet that may begin something. */
  meet(meeting: Meeting): void {
    const { address, seen } = meeting;
    const { rules } = this.#parts;
    if (rules.classOf(address) === 'multicast') return;
    const known = this.#knownAs(address);
    const first = beginningOf(seen);
    if (!first) return;
    const answer = this.#asking.answeredBy(address, seen);
    const beginning = answer === 'perhaps' ? { ...first, direction: 'unknown' as const } : first;
    if (known.services.size < maxServices) known.services.add(serviceText(beginning));
    const isAnswerToAll = isDiscovery(seen) || answer === 'surely';
    if (isAnswerToAll && rules.classOf(address) === 'intranet') return;
    if (isNews(known, seen, beginning)) this.#judge(known, { ...meeting, ...beginning });
  }

  /** Takes a datagram that this machine or a host of the link sends to everybody on it. */
  hearQuestion(address: string, seen: SeenTransport): void {
    this.#asking.note(address, seen);
  }

  /** Tells of a beginning that is new, if the rules want it told. */
  #judge(known: KnownPeer, meeting: Meeting & Beginning): void {
    const { address } = meeting;
    // Reads the surroundings, which takes a millisecond: not for what was judged before.
    known.event = this.#parts.rules.eventFor(address);
    if (!known.event || isPartOf(known, meeting)) return;
    if (known.told.size >= maxServices) return this.#noteManyServices(known, meeting);
    known.told.add(keyOf(meeting));
    this.#tell(known.event, meeting);
  }

  /** `tcp 443`, and `< tcp 22` where the peer began, in the order in which they were first used. */
  servicesOf(address: string): readonly string[] {
    return [...(this.#known.get(address)?.services ?? [])];
  }

  /** To be called once a step with everything that was exchanged. */
  step(volumes: Iterable<PeerVolume>, nowMs: number): void {
    for (const volume of volumes) this.#measure(volume);
    this.#budget.step(nowMs);
  }

  /** The peer was silent for long: its next packet is a contact again, and its bytes count from here. */
  forget({ address, interfaceIndex, wire }: PeerVolume): void {
    const known = this.#known.get(address);
    if (!known) return;
    const wireAtFirst = new Map(known.wireAtFirst).set(interfaceIndex, wire[0] + wire[1]);
    this.#known.set(address, newPeer(wireAtFirst));
  }

  #knownAs(address: string): KnownPeer {
    const known = this.#known.get(address) ?? newPeer(new Map());
    this.#known.set(address, known);
    return known;
  }

  #tell(event: ContactEvent, { seen: _seen, other: _other, ...contact }: Meeting & Beginning): void {
    const { rules, describe, record } = this.#parts;
    const { address, interfaceIndex: _index, ...rest } = contact;
    const isFirstOfPeer = this.#known.get(address)?.told.size === 1;
    const told = { peer: address, ...rest };
    if (!this.#budget.take(event, { ...told, isFirstOfPeer })) return;
    record({ event, ...describe(contact), class: rules.classOf(address), ...told });
  }

  #noteManyServices(known: KnownPeer, { address, direction, protocol }: Beginning & { address: string }): void {
    if (known.isPortScanTold || direction === 'unknown') return;
    known.isPortScanTold = true;
    const ports = [...known.told].filter((key) => key.startsWith(`${direction} ${protocol} `));
    const examples = ports.slice(0, 10).map((key) => key.slice(direction.length + 1));
    this.#parts.record({ event: 'scan', direction, of: 'ports', peer: address, count: known.told.size + 1, examples });
  }

  /** Tells of much that was exchanged, each time that it is ten times as much. */
  #measure({ wire, ...peer }: PeerVolume): void {
    const known = this.#known.get(peer.address);
    if (!known) return;
    const total = wire[0] + wire[1];
    const passed = total - (known.wireAtFirst.get(peer.interfaceIndex) ?? 0);
    if (passed < known.nextVolume) return;
    while (passed >= known.nextVolume) known.nextVolume *= 10;
    known.event ??= this.#parts.rules.eventFor(peer.address);
    if (!known.event) return;
    const { describe, rules, record } = this.#parts;
    record({
      event: 'contact-volume',
      ...describe(peer),
      peer: peer.address,
      class: rules.classOf(peer.address),
      wire: [...wire],
    });
  }
}

function newPeer(wireAtFirst: KnownPeer['wireAtFirst']): KnownPeer {
  return {
    event: undefined,
    seen: new Set(),
    told: new Set(),
    services: new Set(),
    conversations: new Set(),
    isPortScanTold: false,
    wireAtFirst,
    nextVolume: firstVolume,
  };
}

/** What was not seen from its beginning is told once a protocol: its ports may be of any connection. */
function keyOf({ direction, protocol, port }: Beginning): string {
  return `${direction} ${protocol} ${direction === 'unknown' ? '' : (port ?? '')}`;
}

function serviceText({ direction, protocol, port }: Beginning): string {
  return `${direction === 'in' ? '< ' : ''}${protocol}${port === undefined ? '' : ` ${port}`}`;
}

/** True for a beginning that was not seen before, and is no answer to one. */
function isNews(known: KnownPeer, packet: SeenTransport, beginning: Beginning): boolean {
  if (packet.protocol === protocols.udp && !isNewConversation(known, packet)) return false;
  if (isWithoutTransport(beginning) && known.seen.values().some((key) => isOfProtocol(key, beginning))) return false;
  const key = keyOf(beginning);
  if (known.seen.has(key)) return false;
  if (known.seen.size < maxSeen) known.seen.add(key);
  return true;
}

/** A later fragment may be of any protocol. */
function isOfProtocol(key: string, { protocol }: Beginning): boolean {
  return protocol === 'fragment' || key.split(' ')[1] === protocol;
}

function isNewConversation({ conversations }: KnownPeer, seen: SeenTransport): boolean {
  const { direction, sourcePort, destinationPort } = seen;
  const ports = direction === 'out' ? `${sourcePort} ${destinationPort}` : `${destinationPort} ${sourcePort}`;
  if (conversations.has(ports)) return false;
  if (conversations.size >= maxConversations) conversations.clear();
  conversations.add(ports);
  return true;
}

/** Something that was not seen from its beginning may belong to what was told already. */
function isPartOf({ told }: KnownPeer, { direction, protocol, port }: Beginning): boolean {
  if (direction !== 'unknown') return false;
  const directions: readonly ContactDirection[] = ['in', 'out'];
  return directions.some((direction) => told.has(keyOf({ direction, protocol, ...(port !== undefined && { port }) })));
}
