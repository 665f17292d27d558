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
/** A connection lives on when the answer that led to it is no longer valid. */
const keptMs = { least: hourMs, most: 24 * hourMs };
/** Reading an answer takes some 20 µs: a flood of them must not take the agent's time. */
const maxReadsPerStep = 400;

/** The names of addresses, as DNS answers and TLS greetings that pass tell them. They are what was said, and prove nothing. */
export class PeerNames {
  readonly #clock: Clock;
  readonly #names = new BoundedMap<string, KnownName>(maxNames);
  #readsLeft = maxReadsPerStep;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A step has passed: as many packets again may be read. */
  step(): void {
    this.#readsLeft = maxReadsPerStep;
  }

  /** Learns from a packet, if it is one that tells names. */
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
      // Many names share an address: the one that was greeted is the one that is used.
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

/** Of DNS it is ASCII with escapes already; in a greeting a client may write anything. */
function shown(name: string): string {
  const printable = name.replaceAll(/[^!-~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return printable.slice(0, maxNameCharacters).toLowerCase();
}
