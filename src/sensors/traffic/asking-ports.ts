import { BoundedMap } from '../../core/bounded-map.ts';
import type { SeenTransport } from './beginning.ts';
import { protocols } from './counting-rules.ts';

const maxPorts = 4096;
/** Linux gives ports from here on to programs that ask for none (ip_local_port_range); those of other systems begin later. */
const firstEphemeral = 32_768;

/**
 * The ports from which this machine and others asked everybody on the link, by multicast or broadcast. A datagram to such a port is
 * the answer of a program that nobody need have told to: surely, if the port was made for the question; perhaps, if it is that
 * of a service, which is spoken to for other reasons too.
 */
export class AskingPorts {
  readonly #own = new BoundedMap<number, true>(maxPorts);
  /** Apart, so that others cannot push out this machine's. */
  readonly #others = new BoundedMap<string, true>(maxPorts);

  /** A question to everybody, of a peer (`in`) or of this machine. */
  note(address: string, { direction, protocol, sourcePort }: SeenTransport): void {
    if (protocol !== protocols.udp || sourcePort === 0) return;
    if (direction === 'out') this.#own.set(sourcePort, true);
    else this.#others.set(`${address} ${sourcePort}`, true);
  }

  /** Whether a packet between this machine and a peer answers such a question. */
  answeredBy(address: string, { direction, protocol, destinationPort }: SeenTransport): 'surely' | 'perhaps' | 'no' {
    const wasAsked =
      direction === 'in' ? this.#own.get(destinationPort) : this.#others.get(`${address} ${destinationPort}`);
    if (protocol !== protocols.udp || !wasAsked) return 'no';
    return destinationPort >= firstEphemeral ? 'surely' : 'perhaps';
  }
}
