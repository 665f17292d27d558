import type { SeqRange } from '../../core/entry.ts';
import { isDiskError } from '../on-disk.ts';
import { attempt, type Disk } from './disk.ts';
import { countOf, overlap, rangesOf, type RangeSet } from '../../core/ranges.ts';
import { firstIndex } from '../../core/search.ts';
import { readRecords, segmentBytes, type StoredRecord } from './segment.ts';

/** A file of records. Its range reaches up to the next segment, so that a number missing from it is noticed. */
export interface Segment {
  readonly name: string;
  readonly first: number;
  last: number;
  bytes: number;
  /** How many of its entries are not settled. */
  remaining: number;
  /** Set on a rewritten segment: it holds `count` records; all other numbers up to `last` are settled. */
  readonly sparse?: { readonly last: number; readonly count: number };
  /** False once it is known to hold nothing that may be dropped. */
  mayDrop: boolean;
  /** Records were missing: the file is kept for inspection once all its entries are settled. */
  isDamaged: boolean;
  failedReads: number;
}

/** A segment's bytes and its records, ascending. */
export interface Contents {
  readonly bytes: Buffer;
  readonly records: StoredRecord[];
}

const cachedSegments = 4;
const readAttempts = 3;
const keptForInspection = 4;
const quarantined = '.corrupt';

/** The segments on the disk and what of them is settled: acknowledged by the server, or declared missing. */
export class Segments {
  readonly disk: Disk;
  readonly settled: RangeSet;
  /** Ascending; the last one is never removed, because it says which number comes next. */
  readonly all: Segment[];
  readonly #cache = new Map<Segment, Contents>();
  #growing: { readonly segment: Segment; readonly contents: Contents } | undefined;
  #oldest: { readonly seq: number; readonly at: number } | undefined;

  constructor(disk: Disk, all: Segment[], settled: RangeSet) {
    this.disk = disk;
    this.all = all;
    this.settled = settled;
  }

  get bytes(): number {
    return this.all.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get remaining(): number {
    return this.all.reduce((sum, segment) => sum + segment.remaining, 0);
  }

  get hasRemovable(): boolean {
    return this.all.some(({ remaining }, index) => remaining <= 0 && index < this.all.length - 1);
  }

  /** The first segment that reaches `seq` or beyond. */
  reaching(seq: number): Segment | undefined {
    // The search stays within the list.
    return this.all[firstIndex(this.all.length, (index) => this.all[index]!.last >= seq)];
  }

  /** Marks the segment that is being written: its contents are taken from memory, because a copy read from disk would soon be outdated. */
  grow(segment: Segment, contents: Contents): void {
    this.#growing = { segment, contents };
    this.#cache.delete(segment);
  }

  /** Undefined if it cannot be read now. After three failed reads (the kernel retries each) it counts as empty. */
  contents(segment: Segment): Contents | undefined {
    if (segment === this.#growing?.segment) return this.#growing.contents;
    const cached = this.#cache.get(segment);
    if (cached) return cached;
    try {
      const bytes = this.disk.read(segment.name, 0, Math.min(segment.bytes, segmentBytes));
      return this.#keep(segment, { bytes, records: this.#within(segment, readRecords(bytes, segment.first)) });
    } catch (error) {
      if (!isDiskError(error)) throw error;
      segment.failedReads += 1;
      return segment.failedReads < readAttempts ? undefined : { bytes: Buffer.alloc(0), records: [] };
    }
  }

  /** Remembers what was read, for the next few times. */
  #keep(segment: Segment, contents: Contents): Contents {
    this.#cache.set(segment, contents);
    const [eldest] = this.#cache.keys();
    if (this.#cache.size > cachedSegments && eldest) this.#cache.delete(eldest);
    return contents;
  }

  /** Numbers that should be in the segment but are neither there nor declared missing. */
  lostIn(segment: Segment, { records }: Contents): SeqRange[] {
    const isComplete = records.length === segment.sparse?.count;
    const expected: SeqRange = [isComplete ? segment.sparse.last + 1 : segment.first, segment.last];
    return rangesOf(records.map(({ seq }) => seq))
      .missingIn(expected)
      .flatMap((range) => this.settled.missingIn(range));
  }

  /** The entries that are not settled, of those present. */
  unsettled({ records }: Contents): StoredRecord[] {
    return records.filter(({ seq }) => !this.settled.has(seq));
  }

  settle(ranges: readonly SeqRange[]): void {
    for (const range of ranges) {
      for (const missing of this.settled.missingIn(range)) {
        this.settled.add(missing);
        for (const segment of this.all) segment.remaining -= this.#countIn(segment, missing);
      }
    }
    for (const segment of this.all.filter(({ isDamaged }) => isDamaged)) this.#recount(segment);
  }

  /**
   * Removes the segments that are settled throughout. `isNoted` says that the ledger knows: until then only the oldest
   * go, because a hole among the rest would look like a loss after a restart.
   */
  removeSettled(isNoted: boolean): void {
    const unwanted = this.all.slice(0, -1).filter(({ remaining }) => remaining <= 0);
    for (const segment of unwanted) {
      if (!isNoted && segment !== this.all[0]) break;
      if (!this.#remove(segment)) break;
      this.all.splice(this.all.indexOf(segment), 1);
      this.#cache.delete(segment);
    }
    const [oldest] = this.all;
    if (oldest) this.settled.add([1, oldest.first - 1]);
  }

  /** When the oldest entry that is not settled was recorded, epoch milliseconds. */
  oldestAt(): number | undefined {
    if (this.#oldest && !this.settled.has(this.#oldest.seq)) return this.#oldest.at;
    this.#oldest = undefined;
    const segment = this.all.find(({ remaining }) => remaining > 0);
    const contents = segment && this.contents(segment);
    // Asked for at every commit: thousands of settled records are passed over by their numbers alone.
    const first = segment ? (this.settled.missingIn([segment.first, segment.last])[0]?.[0] ?? Infinity) : Infinity;
    this.#oldest = contents?.records.find(({ seq }) => seq >= first && !this.settled.has(seq));
    return this.#oldest?.at;
  }

  /** Counts a damaged segment anew: it is finished when the gap for its lost records is durable and the others are settled. */
  #recount(segment: Segment): void {
    const contents = this.contents(segment);
    if (contents) segment.remaining = this.unsettled(contents).length + countOf(this.lostIn(segment, contents));
  }

  #countIn(segment: Segment, range: SeqRange): number {
    const beyond = overlap(range, [(segment.sparse?.last ?? segment.first - 1) + 1, segment.last]);
    if (segment.sparse === undefined || range[1] < segment.first || range[0] > segment.sparse.last)
      return countOf([beyond]);
    const records = this.contents(segment)?.records ?? [];
    return countOf([beyond]) + records.filter(({ seq }) => seq >= range[0] && seq <= range[1]).length;
  }

  /** Drops records at or above the next segment's first number: they were written again there. */
  #within({ last }: Segment, records: StoredRecord[]): StoredRecord[] {
    return records.filter(({ seq }) => seq <= last);
  }

  #remove({ name, isDamaged }: Segment): boolean {
    return attempt(() => (isDamaged ? quarantine(this.disk, name) : this.disk.remove(name)));
  }
}

/** Renames a file so that a person can look at it; the newest few are kept. */
export function quarantine(disk: Disk, name: string): void {
  disk.rename(name, name + quarantined);
  const kept = disk.list().filter(({ name }) => name.endsWith(quarantined));
  for (const { name } of kept.toSorted((a, b) => a.name.localeCompare(b.name)).slice(0, -keptForInspection)) {
    disk.remove(name);
  }
}
