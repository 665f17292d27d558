import type { SeqRange } from '../../core/entry.ts';
import { RangeSet } from '../../core/ranges.ts';
import type { NewRecord } from './writer.ts';

/** What became of an append: its number, or nothing if there was no room for it. */
export interface Receipt {
  readonly ticket: number;
  readonly seq?: number;
}

export type Pending = NewRecord & {
  readonly ticket?: number;
  /** Numbers that this gap entry declares missing. */
  readonly declares?: readonly SeqRange[];
};

/** Entries that have a number and wait to be written. */
export class Intake {
  readonly #maxBytes: number;
  #waiting: Pending[] = [];
  #bytes = 0;
  #refused = new RangeSet();
  #receipts: Receipt[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get waiting(): readonly Pending[] {
    return this.#waiting;
  }

  /** True if no entry and no receipt is pending. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#receipts.length === 0;
  }

  get isOverfull(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  add(record: Pending): void {
    this.#waiting.push(record);
    this.#bytes += record.jsonBytes;
  }

  /** Removes the oldest entries, which have been recorded. */
  take(count: number): readonly Pending[] {
    const taken = this.#waiting.splice(0, count);
    for (const { seq, ticket, jsonBytes } of taken) {
      this.#bytes -= jsonBytes;
      if (ticket !== undefined) this.#receipts.push({ ticket, seq });
    }
    return taken;
  }

  /** Drops the oldest droppable entries until a quarter of the memory is free, so that the search is rare; if none is droppable, the newest. */
  makeRoom(): void {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((record) => {
      const isKept = !record.droppable || this.#bytes <= this.#maxBytes * 0.75;
      if (!isKept) this.#refuse(record);
      return isKept;
    });
    if (this.#waiting.length === before) this.refuseNewest();
  }

  refuseNewest(): void {
    const newest = this.#waiting.pop();
    if (newest) this.#refuse(newest);
  }

  /** The numbers of those that were dropped since the last call. */
  takeRefused(): readonly SeqRange[] {
    const { ranges } = this.#refused;
    this.#refused = new RangeSet();
    return ranges;
  }

  /** Receipts of appends since the last call. */
  takeReceipts(): Receipt[] {
    return this.#receipts.splice(0);
  }

  #refuse({ seq, jsonBytes, ticket }: Pending): void {
    this.#bytes -= jsonBytes;
    this.#refused.add([seq, seq]);
    if (ticket !== undefined) this.#receipts.push({ ticket });
  }
}
