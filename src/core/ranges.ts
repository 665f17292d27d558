import type { SeqRange } from './entry.ts';
import { firstIndex } from './search.ts';

/** A set of sequence numbers, kept as ascending ranges that neither overlap nor touch: small, because numbers come in runs. */
export class RangeSet {
  readonly #ranges: SeqRange[] = [];

  constructor(ranges: Iterable<SeqRange> = []) {
    for (const range of ranges) this.add(range);
  }

  get ranges(): readonly SeqRange[] {
    return this.#ranges;
  }

  has(seq: number): boolean {
    const range = this.#ranges[this.#indexOfEndAtLeast(seq)];
    return range !== undefined && range[0] <= seq;
  }

  add([from, to]: SeqRange): void {
    if (from > to) return;
    const start = this.#indexOfEndAtLeast(from - 1);
    let end = start;
    let merged: SeqRange = [from, to];
    for (let next = this.#ranges[end]; next !== undefined && next[0] <= to + 1; next = this.#ranges[++end]) {
      merged = [Math.min(merged[0], next[0]), Math.max(merged[1], next[1])];
    }
    this.#ranges.splice(start, end - start, merged);
  }

  delete([from, to]: SeqRange): void {
    const start = this.#indexOfEndAtLeast(from);
    let end = start;
    const left: SeqRange[] = [];
    for (let next = this.#ranges[end]; next !== undefined && next[0] <= to; next = this.#ranges[++end]) {
      if (next[0] < from) left.push([next[0], from - 1]);
      if (next[1] > to) left.push([to + 1, next[1]]);
    }
    this.#ranges.splice(start, end - start, ...left);
  }

  /** The part of `range` that is not in the set, ascending. */
  missingIn([from, to]: SeqRange): SeqRange[] {
    const missing: SeqRange[] = [];
    let next = from;
    for (let index = this.#indexOfEndAtLeast(from); next <= to; index++) {
      const range = this.#ranges[index];
      const end = Math.min(to, (range?.[0] ?? Infinity) - 1);
      if (next <= end) missing.push([next, end]);
      next = (range?.[1] ?? to) + 1;
    }
    return missing;
  }

  /** How many numbers of `range` are in the set. */
  countIn(range: SeqRange): number {
    return countOf([range]) - countOf(this.missingIn(range));
  }

  #indexOfEndAtLeast(seq: number): number {
    // The search stays within the list.
    return firstIndex(this.#ranges.length, (index) => this.#ranges[index]![1] >= seq);
  }
}

export function countOf(ranges: readonly SeqRange[]): number {
  return ranges.reduce((sum, [from, to]) => sum + Math.max(0, to - from + 1), 0);
}

/** The common part of two ranges; empty (from > to) when there is none. */
export function overlap(a: SeqRange, b: SeqRange): SeqRange {
  return [Math.max(a[0], b[0]), Math.min(a[1], b[1])];
}

/** The set of these numbers, which ascend. */
export function rangesOf(ascending: Iterable<number>): RangeSet {
  const ranges: [number, number][] = [];
  for (const seq of ascending) {
    const last = ranges.at(-1);
    if (last !== undefined && seq <= last[1] + 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return new RangeSet(ranges);
}
