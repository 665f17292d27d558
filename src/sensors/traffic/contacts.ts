import { BoundedMap } from '../../core/bounded-map.ts';
import type { PeerClass, SensorRecord } from '../../core/record.ts';
import { ipProtocols, type IpPacket } from '../../net/packets/ip-packet.ts';
import type { PeerId } from './meter.ts';

type Contact = Extract<SensorRecord, { event: 'lan-access' | 'forbidden-peer' }>;
type ContactEvent = Contact['event'];

/** A first meeting with a peer; how it was met is unknown if its packet was not handed up. */
export interface Meeting extends PeerId {
  readonly direction: 'in' | 'out';
  readonly packet?: IpPacket;
}

export interface ContactRules {
  readonly isForbidden: (address: string) => boolean;
  readonly isAllowed: (address: string) => boolean;
  readonly classOf: (address: string) => PeerClass;
}

interface ContactsParts {
  readonly rules: ContactRules;
  /** More facts about a peer. */
  readonly describe: (peer: PeerId) => Pick<Contact, 'interface' | 'name' | 'mac'>;
  readonly record: (record: SensorRecord) => void;
}

/** A known peer is not reported again for a day or until the sensor restarts. */
const forgetAfterMs = 24 * 3_600_000;
const maxMet = 65_536;
/** Limit for one step. */
const maxHeardOnly = 4096;
const minuteMs = 60_000;
/** A network scan must not fill the log: further contacts are counted and appear in the table of peers. */
const maxPerMinute = 60;

/** Reports the first packet of each peer that is forbidden, or in the intranet and not allowed. */
export class Contacts {
  readonly #parts: ContactsParts;
  readonly #metAtMs = new BoundedMap<string, number>(maxMet);
  readonly #told: Record<ContactEvent, number> = { 'lan-access': 0, 'forbidden-peer': 0 };
  #minuteBeganMs = -Infinity;
  /** Peers that the counter has seen but that were not met: their first packet may still be in the queue. */
  #unmet: readonly Meeting[] = [];
  readonly #heardOnly = new Map<string, PeerId>();

  constructor(parts: ContactsParts) {
    this.#parts = parts;
  }

  /** Takes a packet that may be a peer's first. */
  meet(meeting: Meeting, nowMs: number): void {
    const { address, direction, interfaceIndex, packet } = meeting;
    if (this.#isMet(address, nowMs)) return;
    if (packet && direction === 'in' && this.#isForTheLink(packet)) {
      if (this.#heardOnly.size < maxHeardOnly) this.#heardOnly.set(address, { address, interfaceIndex });
      return;
    }
    this.#metAtMs.set(address, nowMs);
    const event = this.#eventFor(address);
    if (event && ++this.#told[event] <= maxPerMinute) this.#tell(event, meeting);
  }

  /** Called once a step with the counter's new peers; those not met by the next step are reported anyway. */
  step(newcomers: readonly Meeting[], nowMs: number): void {
    for (const peer of this.#unmet) this.meet(peer, nowMs);
    this.#unmet = newcomers.filter(({ address }) => !this.#isMet(address, nowMs) && !this.#heardOnly.has(address));
    if (nowMs - this.#minuteBeganMs >= minuteMs) this.#beginMinute(nowMs);
  }

  /**
   * Peers that have only sent to everybody on the link so far. The counter must forget them, so that it hands up the first
   * packet that is addressed to this machine as well.
   */
  takeHeardOnly(): readonly PeerId[] {
    const heard = [...this.#heardOnly.values()];
    this.#heardOnly.clear();
    return heard;
  }

  #isMet(address: string, nowMs: number): boolean {
    const metAtMs = this.#metAtMs.get(address);
    return metAtMs !== undefined && nowMs - metAtMs < forgetAfterMs;
  }

  /** True for announcements to everybody on the link and neighbour discovery (RFC 4861, types 133 to 137), the ARP of IPv6. */
  #isForTheLink({ destination, protocol, payload }: IpPacket): boolean {
    const type = protocol === ipProtocols.icmpv6 ? (payload[0] ?? 0) : 0;
    return (type >= 133 && type <= 137) || this.#parts.rules.classOf(destination) === 'multicast';
  }

  #eventFor(address: string): ContactEvent | undefined {
    const { isForbidden, isAllowed, classOf } = this.#parts.rules;
    if (isForbidden(address)) return 'forbidden-peer';
    return classOf(address) === 'intranet' && !isAllowed(address) ? 'lan-access' : undefined;
  }

  #tell(event: ContactEvent, meeting: Meeting): void {
    const { rules, describe, record } = this.#parts;
    const { address, direction, packet } = meeting;
    const port = packet?.ports?.destination;
    record({
      event,
      ...describe(meeting),
      peer: address,
      class: rules.classOf(address),
      direction,
      protocol: packet ? protocolName(packet.protocol) : 'unknown',
      ...(port !== undefined && { port }),
    });
  }

  #beginMinute(nowMs: number): void {
    this.#minuteBeganMs = nowMs;
    for (const event of ['lan-access', 'forbidden-peer'] as const) {
      const count = this.#told[event] - maxPerMinute;
      this.#told[event] = 0;
      if (count <= 0) continue;
      const message = `more peers met than the ${maxPerMinute} a minute of which ${event} tells; the table of peers counts them`;
      this.#parts.record({ event: 'lost', message, count });
    }
  }
}

const protocolNames: Readonly<Record<number, string>> = {
  [ipProtocols.tcp]: 'tcp',
  [ipProtocols.udp]: 'udp',
  [ipProtocols.icmp]: 'icmp',
  [ipProtocols.icmpv6]: 'icmp',
};

function protocolName(protocol: number): string {
  return protocolNames[protocol] ?? String(protocol);
}
