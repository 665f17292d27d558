import { firstIndex } from '../../core/search.ts';
import type { Contents, Segment, Segments } from './segments.ts';
import type { StoredRecord } from './segment.ts';

/** An entry as it lies in the spool; `json` is its item, ready to be put into a frame. */
export interface SpooledEntry {
  readonly seq: number;
  readonly json: string;
}

export interface ReadLimit {
  /** Of JSON, in bytes; one entry is returned even if it is larger. */
  readonly maxBytes: number;
  readonly maxCount: number;
}

/** Walks once over the entries that are not settled, oldest first. */
export class SpoolReader {
  readonly #segments: Segments;
  readonly #onOpened: (segment: Segment, contents: Contents) => void;
  #next: number;
  #opened: Segment | undefined;

  /** `onOpened` is told of each segment before its entries are taken. */
  constructor(segments: Segments, from: number, onOpened: (segment: Segment, contents: Contents) => void) {
    this.#segments = segments;
    this.#next = from;
    this.#onOpened = onOpened;
  }

  /** The next entries below `end`; fewer than there are when a limit is reached or a segment cannot be read now. */
  take(end: number, { maxBytes, maxCount }: ReadLimit): SpooledEntry[] {
    const taken: SpooledEntry[] = [];
    let room = maxBytes;
    while (this.#next < end && taken.length < maxCount) {
      const segment = this.#segments.reaching(this.#next);
      const contents = segment && this.#open(segment);
      if (!contents) break;
      const { record, next } = this.#nextIn(segment, contents);
      if (!record || record.seq >= end) {
        this.#next = Math.min(next, end);
        continue;
      }
      room -= record.end - record.start;
      if (room < 0 && taken.length > 0) break;
      taken.push({ seq: record.seq, json: contents.bytes.toString('utf8', record.start, record.end) });
      this.#next = record.seq + 1;
    }
    return taken;
  }

  #open(segment: Segment): Contents | undefined {
    const contents = this.#segments.contents(segment);
    if (contents && this.#opened !== segment) {
      this.#opened = segment;
      this.#onOpened(segment, contents);
    }
    return contents;
  }

  /** The first unsettled record from here on, or none, and then where the next segment begins. */
  #nextIn({ last }: Segment, { records }: Contents): { readonly record?: StoredRecord; readonly next: number } {
    // The search stays within the list.
    const start = firstIndex(records.length, (index) => records[index]!.seq >= this.#next);
    for (let index = start; index < records.length; index++) {
      const record = records[index];
      if (record && !this.#segments.settled.has(record.seq)) return { record, next: record.seq };
    }
    return { next: last + 1 };
  }
}
