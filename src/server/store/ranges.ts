import type { SeqRange } from '../../core/entry.ts';

/** Ascending, disjoint and not adjacent: the shortest way to write a set of sequence numbers. */
export type Ranges = readonly SeqRange[];

/** The set of these numbers, which ascend. */
export function rangesOf(ascending: Iterable<number>): Ranges {
  const ranges: [number, number][] = [];
  for (const seq of ascending) {
    const last = ranges.at(-1);
    if (last !== undefined && seq === last[1] + 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return ranges;
}

/** Both sets together. `more` may come in any order and overlap. */
export function union(ranges: Ranges, more: readonly SeqRange[]): Ranges {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges, ...more].toSorted(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** What of `ranges` is not in `known`. */
export function difference(ranges: Ranges, known: Ranges): Ranges {
  const left: SeqRange[] = [];
  for (const [from, to] of ranges) {
    let next = from;
    for (const [knownFrom, knownTo] of known) {
      if (knownTo < next) continue;
      if (knownFrom > to) break;
      if (knownFrom > next) left.push([next, knownFrom - 1]);
      next = knownTo + 1;
    }
    if (next <= to) left.push([next, to]);
  }
  return left;
}

/** The holes between 1 and the highest number. */
export function holes(ranges: Ranges): Ranges {
  const last = ranges.at(-1);
  return last === undefined ? [] : difference([[1, last[1]]], ranges);
}

export function includes(ranges: Ranges, seq: number): boolean {
  return ranges.some(([from, to]) => from <= seq && seq <= to);
}
