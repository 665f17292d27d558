import type { SensorRecord } from '../../core/record.ts';
import type { RecordBody } from '../../records/chain.ts';
import { maxLineBytes } from '../../protocol/messages.ts';

/** Beyond this, records are counted but not kept, so that a refusing disk does not use up the memory. */
const maxRecords = 10_000;
const maxBytes = 8 * 1024 * 1024;
/** One write, one sync. */
const batchRecords = 500;
const batchBytes = 1024 * 1024;
/** Bytes for number, hash and MAC around a body. */
const sealBytes = 200;

/** Gives a record its sensor and its times. */
export type Stamp = (record: SensorRecord) => RecordBody;

interface Pending {
  readonly body: RecordBody;
  readonly bytes: number;
}

/** Records that are not sealed yet. Those without room are counted and reported by a `lost` record later. */
export class PendingRecords {
  readonly #stamp: Stamp;
  #records: Pending[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor(stamp: Stamp) {
    this.#stamp = stamp;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0;
  }

  add(record: SensorRecord): void {
    const body = this.#stamp(record);
    const bytes = Buffer.byteLength(JSON.stringify(body));
    if (bytes + sealBytes > maxLineBytes) return this.#addTooLarge(record, bytes);
    if (this.#records.length >= maxRecords || this.#bytes + bytes > maxBytes) this.#dropped += 1;
    else this.#push({ body, bytes });
  }

  /** Removes the oldest records, at most one batch. */
  take(): readonly RecordBody[] {
    let bytes = 0;
    const end = this.#records.findIndex((record) => (bytes += record.bytes) > batchBytes);
    const count = Math.min(batchRecords, end === -1 ? this.#records.length : Math.max(1, end));
    const taken = this.#records.splice(0, count);
    for (const { bytes } of taken) this.#bytes -= bytes;
    if (this.#dropped > 0) this.#sayDropped();
    return taken.map(({ body }) => body);
  }

  #addTooLarge({ event }: SensorRecord, bytes: number): void {
    this.add({ event: 'lost', message: `a ${event} record of ${bytes} bytes was too large to keep`, count: 1 });
  }

  #sayDropped(): void {
    const message = 'records came faster than the disk took them, or while it refused, and there was no room for more';
    const body = this.#stamp({ event: 'lost', message, count: this.#dropped });
    this.#dropped = 0;
    this.#push({ body, bytes: Buffer.byteLength(JSON.stringify(body)) });
  }

  #push(record: Pending): void {
    this.#records.push(record);
    this.#bytes += record.bytes;
  }
}
