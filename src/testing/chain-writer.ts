import { randomUUIDv7 } from 'node:crypto';
import type { SensorRecord } from '../core/record.ts';
import type { SensorName } from '../core/sensor.ts';
import { beginChain, hashOf, seal, type RecordBody } from '../records/chain.ts';

/** A chain of records as an agent has it: its first key, its lines, its head. */
export class ChainWriter {
  readonly sensor: SensorName;
  readonly first = beginChain(randomUUIDv7());
  readonly lines: string[] = [];
  #state = this.first;

  constructor(sensor: SensorName = 'usb') {
    this.sensor = sensor;
  }

  /** The next line. */
  write(record: SensorRecord, stamp: Partial<Pick<RecordBody, 'at'>> = {}): string {
    const { sensor } = this;
    const { line, state } = seal(this.#state, {
      sensor,
      at: Date.now(),
      monotonicMs: 1,
      boot: 'boot',
      ...stamp,
      ...record,
    });
    this.#state = state;
    this.lines.push(line);
    return line;
  }

  /** Of the next line. */
  get key(): string {
    return this.#state.key;
  }

  /** As a heartbeat announces it, up to line `n`. */
  head(n = this.lines.length): { sensor: SensorName; chain: string; n: number; head: string } {
    const { chain } = this.first;
    return { sensor: this.sensor, chain, n, head: hashOf(this.lines[n - 1] ?? chain) };
  }
}
