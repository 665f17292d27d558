import type { SensorRecord } from '../../core/record.ts';
import type { PeerCounter } from './peer-counter.ts';

/** Records what the counter did not count or could not hand up since the record before. */
export class LossLog {
  readonly #record: (record: SensorRecord) => void;
  #missed = 0;
  #unseen = 0;

  constructor(record: (record: SensorRecord) => void) {
    this.#record = record;
  }

  tell(counter: PeerCounter): void {
    const [missed, unseen] = [counter.missedPackets(), counter.unseenPackets()];
    this.#lost('packets that passed uncounted', missed - this.#missed);
    this.#lost(
      'packets that were counted and not looked at: they may have been to further services',
      unseen - this.#unseen,
    );
    [this.#missed, this.#unseen] = [missed, unseen];
  }

  #lost(message: string, count: number): void {
    if (count > 0) this.#record({ event: 'lost', message, count });
  }
}
