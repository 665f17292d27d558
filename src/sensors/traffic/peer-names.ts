import { BoundedMap } from '../../core/bounded-map.ts';
import type { Clock } from '../../core/clock.ts';
import { serverNameOf } from '../../net/packets/client-hello.ts';
import { ipProtocols, type IpPacket } from '../../net/packets/ip-packet.ts';
import { namesIn } from './dns-names.ts';
import { namingPorts } from './counting-rules.ts';

interface KnownName {
  readonly name: string;
  readonly isFromGreeting: boolean;
  readonly untilMs: number;
}

const maxNames = 16_384;
const maxNameCharacters = 253;
const hourMs = 3_600_000;
/** A connection outlives the validity of the answer that led to it. */
const keptMs = { least: hourMs, most: 24 * hourMs };
/** Parsing an answer takes about 20 µs; this bounds the cost of a flood. */
const maxReadsPerStep = 400;

/** Names of addresses from observed DNS answers and ClientHellos. They are claims and prove nothing. */
export class PeerNames {
  readonly #clock: Clock;
  readonly #names = new BoundedMap<string, KnownName>(maxNames);
  #readsLeft = maxReadsPerStep;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a step: the limit of packets starts again. */
  step(): void {
    this.#readsLeft = maxReadsPerStep;
  }

  /** Learns names from a packet, if it carries any. */
  hear({ destination, protocol, ports, payload }: IpPacket): void {
    const isAnswer = protocol === ipProtocols.udp && namingPorts.dns.includes(ports?.source ?? 0);
    const isGreeting = protocol === ipProtocols.tcp && namingPorts.tls.includes(ports?.destination ?? 0);
    if (!isAnswer && !isGreeting) return;
    if (this.#readsLeft-- <= 0) return;
    if (isAnswer) return this.#hearAnswer(payload);
    const name = serverNameOf(payload);
    if (name !== undefined) this.#keep(destination, { name, isFromGreeting: true, ms: keptMs.least });
  }

  of(address: string): string | undefined {
    return this.#known(address)?.name;
  }

  #hearAnswer(message: Buffer): void {
    for (const { address, name, ttlSeconds } of namesIn(message)) {
      // Many names may share an address: the one in the ClientHello is the one in use.
      if (this.#known(address)?.isFromGreeting) continue;
      const ms = Math.min(Math.max(1000 * ttlSeconds, keptMs.least), keptMs.most);
      this.#keep(address, { name, isFromGreeting: false, ms });
    }
  }

  #known(address: string): KnownName | undefined {
    const known = this.#names.get(address);
    return known && known.untilMs > this.#clock.monotonic() ? known : undefined;
  }

  #keep(address: string, { name, isFromGreeting, ms }: Omit<KnownName, 'untilMs'> & { readonly ms: number }): void {
    const untilMs = this.#clock.monotonic() + ms;
    this.#names.set(address, { name: shown(name), isFromGreeting, untilMs });
  }
}

/** A DNS name is escaped ASCII already; a ClientHello may contain anything. */
function shown(name: string): string {
  const printable = name.replaceAll(/[^!-~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return printable.slice(0, maxNameCharacters).toLowerCase();
}
