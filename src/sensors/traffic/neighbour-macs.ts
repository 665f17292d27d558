import { BoundedMap } from '../../core/bounded-map.ts';
import type { SensorRecord } from '../../core/record.ts';

type MacRecord = Extract<SensorRecord, { event: 'peer-mac' }>;

/** A host on the link with its MAC address. */
export interface SeenMac {
  readonly interfaceIndex: number;
  readonly address: string;
  readonly mac: string;
}

interface MacsParts {
  /** What the host is to this machine; undefined for a bystander, of whom nothing is recorded. */
  readonly roleOf: (address: string) => MacRecord['role'] | undefined;
  readonly interfaceName: (index: number) => string;
  readonly record: (record: SensorRecord) => void;
}

const maxMacs = 16_384;
/** Two hosts that fight for one address would fill the log. */
const maxChangesOfPeer = 20;

/** The MAC addresses of the hosts on the link; records when one that this machine talks to answers from another. */
export class NeighbourMacs {
  readonly #parts: MacsParts;
  readonly #macs = new BoundedMap<string, { readonly mac: string; readonly changes: number }>(maxMacs);

  constructor(parts: MacsParts) {
    this.#parts = parts;
  }

  of({ interfaceIndex, address }: Omit<SeenMac, 'mac'>): string | undefined {
    return this.#macs.get(`${interfaceIndex} ${address}`)?.mac;
  }

  note({ interfaceIndex, address, mac }: SeenMac): void {
    const key = `${interfaceIndex} ${address}`;
    const known = this.#macs.get(key);
    if (known?.mac === mac) return;
    const changes = known ? known.changes + 1 : 0;
    this.#macs.set(key, { mac, changes });
    const role = known && this.#parts.roleOf(address);
    if (!role || changes > maxChangesOfPeer) return;
    const { record, interfaceName } = this.#parts;
    const peer = { interface: interfaceName(interfaceIndex), peer: address, role };
    record({ event: 'peer-mac', ...peer, before: known.mac, now: mac });
    if (changes === maxChangesOfPeer)
      record({ event: 'lost', message: `further changes of the MAC address of ${address}` });
  }
}
