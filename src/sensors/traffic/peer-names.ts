import { BoundedMap } from '../../core/bounded-map.ts';
import type { Clock } from '../../core/clock.ts';
import type { PeerName } from '../../core/record.ts';
import { serverNameOf } from '../../net/packets/client-hello.ts';
import { ipProtocols, type IpPacket } from '../../net/packets/ip-packet.ts';
import { namingPorts } from './counting-rules.ts';
import { readDnsNames, type DnsNames, type AskedName } from './dns-names.ts';

interface NamesParts {
  readonly clock: Clock;
  /** A DNS server that this machine is configured to ask. */
  readonly isResolver: (address: string) => boolean;
  readonly isOnLink: (address: string) => boolean;
  /** This machine has exchanged packets with it. */
  readonly isMet: (address: string) => boolean;
}

interface Asked extends AskedName {
  readonly untilMs: number;
}

interface KnownName extends PeerName {
  readonly untilMs: number;
}

const maxNames = 16_384;
const maxAsked = 4096;
const maxNameCharacters = 253;
/** An answer that comes later belongs to no question. */
const answerWithinMs = 15_000;
const hourMs = 3_600_000;
/** A connection outlives the validity of the answer that led to it. */
const keptMs = { least: hourMs, most: 24 * hourMs };
/** A host that only announces itself is a bystander. */
const bystanderMs = 60_000;
/** Parsing a message takes about 20 µs; this bounds the cost of a flood. */
const maxReadsPerStep = 400;
const mdnsPort = 5353;

/**
 * Names of addresses, each with its source. A DNS answer counts if this machine asked that question of a DNS server of its
 * configuration, from that port and with that number; mDNS if a host on the link gives itself a name in `.local`; the name in
 * a ClientHello is the word of the program on this machine. None of them is proof.
 */
export class PeerNames {
  readonly #parts: NamesParts;
  readonly #asked = new BoundedMap<string, Asked>(maxAsked);
  readonly #answered = new BoundedMap<string, KnownName>(maxNames);
  readonly #announced = new BoundedMap<string, KnownName>(maxNames);
  readonly #greeted = new BoundedMap<string, KnownName>(maxNames);
  #readsLeft = maxReadsPerStep;

  constructor(parts: NamesParts) {
    this.#parts = parts;
  }

  /** Begins a step: the limit of packets starts again. */
  step(): void {
    this.#readsLeft = maxReadsPerStep;
  }

  /** Learns names from a packet, if it carries any. */
  hear(packet: IpPacket, direction: 'in' | 'out'): void {
    const { protocol, ports } = packet;
    if (!ports) return;
    if (protocol === ipProtocols.udp) {
      if (direction === 'out') this.#hearQuestion(packet, ports);
      else if (ports.source === mdnsPort) this.#hearAnnouncement(packet);
      else this.#hearAnswer(packet, ports);
    } else if (direction === 'out' && namingPorts.tls.includes(ports.destination)) this.#hearGreeting(packet);
  }

  /** What the DNS server said first, the name in the greeting last; empty if there is none. */
  of(address: string): readonly PeerName[] {
    return [this.#answered, this.#announced, this.#greeted].flatMap((names) => {
      const known = names.get(address);
      if (!known || known.untilMs <= this.#nowMs) return [];
      return [{ name: known.name, source: known.source }];
    });
  }

  get #nowMs(): number {
    return this.#parts.clock.monotonic();
  }

  #hearQuestion({ destination, payload }: IpPacket, ports: Ports): void {
    if (!namingPorts.dnsQuestions.includes(ports.destination) || !this.#parts.isResolver(destination)) return;
    const message = this.#read(payload);
    if (!message?.question || message.isAnswer) return;
    const key = exchangeOf({ server: destination, port: ports.source, id: message.id });
    this.#asked.set(key, { ...message.question, untilMs: this.#nowMs + answerWithinMs });
  }

  #hearAnswer({ source, payload }: IpPacket, ports: Ports): void {
    if (!namingPorts.dnsQuestions.includes(ports.source) || payload.length < 2) return;
    const key = exchangeOf({ server: source, port: ports.destination, id: payload.readUInt16BE(0) });
    // Before it is read: what nobody asked must not use up the limit.
    const asked = this.#asked.get(key);
    if (!asked || asked.untilMs <= this.#nowMs) return;
    const message = this.#read(payload);
    if (!message?.isAnswer || message.question?.name !== asked.name || message.question.type !== asked.type) return;
    this.#asked.take(key);
    for (const { address, name, ttlSeconds } of message.addresses) {
      const ms = Math.min(Math.max(1000 * ttlSeconds, keptMs.least), keptMs.most);
      this.#keep(this.#answered, address, { name, source: `dns ${source}`, ms });
    }
  }

  /** RFC 6762 section 11: from the link only. A host may name itself, no other. */
  #hearAnnouncement({ source, payload }: IpPacket): void {
    if (!this.#parts.isOnLink(source)) return;
    const message = this.#read(payload);
    if (!message?.isAnswer) return;
    const own = message.addresses.find(({ address, name }) => address === source && /\.local\.?$/.test(name));
    const ms = this.#parts.isMet(source) ? keptMs.least : bystanderMs;
    if (own) this.#keep(this.#announced, source, { name: own.name, source: 'mdns', ms });
  }

  #hearGreeting({ destination, payload }: IpPacket): void {
    if (this.#readsLeft-- <= 0) return;
    const name = serverNameOf(payload);
    if (name !== undefined) this.#keep(this.#greeted, destination, { name, source: 'sni', ms: keptMs.least });
  }

  #read(message: Buffer): DnsNames | undefined {
    return this.#readsLeft-- > 0 ? readDnsNames(message) : undefined;
  }

  #keep(
    names: BoundedMap<string, KnownName>,
    address: string,
    { name, source, ms }: PeerName & { readonly ms: number },
  ): void {
    names.set(address, { name: shown(name), source, untilMs: this.#nowMs + ms });
  }
}

type Ports = NonNullable<IpPacket['ports']>;

function exchangeOf({
  server,
  port,
  id,
}: {
  readonly server: string;
  readonly port: number;
  readonly id: number;
}): string {
  return `${server} ${port} ${id}`;
}

/** A DNS name is escaped ASCII already; a ClientHello may contain anything. */
function shown(name: string): string {
  const printable = name.replaceAll(/[^!-~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return printable.slice(0, maxNameCharacters).toLowerCase();
}
