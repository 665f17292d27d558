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
  /** What this gap entry declares missing. */
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

  /** Nothing waits to be written, and nobody waits to be told. */
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

  /** Takes out the oldest ones, which were recorded. */
  take(count: number): readonly Pending[] {
    const taken = this.#waiting.splice(0, count);
    for (const { seq, ticket, jsonBytes } of taken) {
      this.#bytes -= jsonBytes;
      if (ticket !== undefined) this.#receipts.push({ ticket, seq });
    }
    return taken;
  }

  /** Drops the oldest that may go, a quarter at once so that the search is paid for rarely; if none may, the newest. */
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

  /** What became of appends since the last call. */
  takeReceipts(): Receipt[] {
    return this.#receipts.splice(0);
  }

  #refuse({ seq, jsonBytes, ticket }: Pending): void {
    this.#bytes -= jsonBytes;
    this.#refused.add([seq, seq]);
    if (ticket !== undefined) this.#receipts.push({ ticket });
  }
}
