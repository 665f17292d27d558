import type { SensorRecord } from '../../core/record.ts';

type PassedOnRecord = Extract<SensorRecord, { event: 'passed-on' }>;
type HostPair = Pick<PassedOnRecord, 'source' | 'destination'>;

/** Pairs that are told one by one; the record of traffic has the others. */
const maxTold = 20;

/** Records the first packet of each two hosts that this machine passed on. */
export class PassedOnLog {
  readonly #record: (record: SensorRecord) => void;
  readonly #told = new Set<string>();

  constructor(record: (record: SensorRecord) => void) {
    this.#record = record;
  }

  tell(pair: HostPair, interfaceName: string): void {
    const key = keyOf(pair);
    if (this.#told.has(key) || this.#told.size >= maxTold) return;
    this.#told.add(key);
    const { source, destination } = pair;
    this.#record({ event: 'passed-on', interface: interfaceName, source, destination });
  }

  /** The two were silent for long: their next packet is told again. */
  forget(pair: HostPair): void {
    this.#told.delete(keyOf(pair));
  }
}

/** The same in both directions. */
function keyOf({ source, destination }: HostPair): string {
  return [source, destination].toSorted().join(' ');
}
