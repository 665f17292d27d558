import type { GapItem, SeqRange } from '../../core/entry.ts';
import { RangeSet, rangesOf } from '../../core/ranges.ts';
import type { Segment, Segments } from './segments.ts';

interface Closed {
  readonly gaps: readonly { readonly seq: number; readonly ranges: readonly SeqRange[] }[];
  /** The numbers that the segment was rewritten without. */
  readonly left: readonly SeqRange[];
}

/** The numbers under which this spool will send nothing any more, without those of gap entries that are still to be sent. */
export class ClosedNumbers {
  readonly #segments: Segments;
  readonly #known = new WeakMap<Segment, Closed>();

  constructor(segments: Segments) {
    this.#segments = segments;
  }

  /** The closed numbers that the server does not know of. `waiting` are those of gap entries that are not recorded yet. */
  unknownTo(received: readonly SeqRange[], waiting: readonly SeqRange[]): readonly SeqRange[] {
    const known = new RangeSet([...received, ...waiting]);
    const unknown = new RangeSet(this.#segments.settled.ranges.flatMap((range) => known.missingIn(range)));
    for (const segment of this.#segments.all) {
      if (segment.sparse === undefined) continue;
      for (const range of this.#closedIn(segment).left)
        known.missingIn(range).forEach((missing) => unknown.add(missing));
    }
    // Numbers of a recorded gap entry are told by that entry. Looked for last, because it reads the whole spool.
    if (unknown.ranges.length === 0) return [];
    for (const segment of this.#segments.all) {
      if (segment.remaining <= 0) continue;
      const waiting = this.#closedIn(segment).gaps.filter(({ seq }) => !this.#segments.settled.has(seq));
      for (const range of waiting.flatMap(({ ranges }) => ranges)) unknown.delete(range);
    }
    return unknown.ranges;
  }

  #closedIn(segment: Segment): Closed {
    const known = this.#known.get(segment);
    if (known) return known;
    const contents = this.#segments.contents(segment);
    if (!contents) return { gaps: [], left: [] };
    const { bytes, records } = contents;
    const present = rangesOf(records.map(({ seq }) => seq));
    // With fewer records than were written, some are damaged: those are reported when they are to be read.
    const isComplete = records.length === segment.sparse?.count;
    const closed: Closed = {
      gaps: records
        .filter(({ isGap }) => isGap)
        .map(({ seq, start, end }) => ({ seq, ranges: rangesIn(bytes.toString('utf8', start, end)) })),
      left: isComplete ? present.missingIn([segment.first, segment.sparse.last]) : [],
    };
    if (segment !== this.#segments.all.at(-1)) this.#known.set(segment, closed);
    return closed;
  }
}

function rangesIn(json: string): readonly SeqRange[] {
  // The checksum is right and only the spool sets the flag, so this is a gap item.
  return (JSON.parse(json) as GapItem).ranges;
}
