import { AppError } from '../../core/errors.ts';
import type { GapItem } from '../../core/entry.ts';
import { isDiskError, unfinished } from '../on-disk.ts';
import { attempt, type Disk } from './disk.ts';
import { Ledger, type LedgerPage } from './ledger.ts';
import { countOf, RangeSet } from '../../core/ranges.ts';
import { formatVersion, headerBytes, mostRecordsAfter, readHeader, type SegmentHeader } from './segment.ts';
import { quarantine, Segments, type Segment } from './segments.ts';

export interface Recovered {
  /** In the names of the segments. */
  readonly series: number;
  readonly epoch: number;
  readonly nextSeq: number;
  /** Entries from this number on were never sent in this epoch. */
  readonly sentBelow: number;
  /** There were entries, and now there is no trace of them. */
  readonly isLost: boolean;
  /** Bytes at the end of the newest segment that form no record, left by an interrupted write. */
  readonly tornBytes: number;
  /** Files that were renamed because they hold nothing usable. */
  readonly quarantined: readonly string[];
}

interface Found {
  readonly name: string;
  readonly bytes: number;
  readonly series: number;
  readonly first: number;
  readonly header: SegmentHeader | undefined;
}

const namePattern = /^(\d{16})-(\d{16})\.segment$/;

/** The name has the first number, so that a damaged header does not lose it, and the epoch that the spool began with. */
export function segmentName(series: number, first: number): string {
  return `${String(series).padStart(16, '0')}-${String(first).padStart(16, '0')}.segment`;
}

/** Reads the state of the folder, however the last run ended; running it twice gives the same. */
export function recover(
  disk: Disk,
  { newEpoch, isUsed = false }: { readonly newEpoch: () => number; readonly isUsed?: boolean },
): { readonly segments: Segments; readonly ledger: Ledger; readonly recovered: Recovered } {
  const { ledger, page } = Ledger.read(disk);
  const { found, quarantined } = usable(disk, findSegments(disk));
  const { series, epoch, ...known } = knownOf(page, found) ?? unknownSpool(found, newEpoch);
  const segments = new Segments(disk, asSegments(found, known.nextSeq), new RangeSet(known.settled));
  const { nextSeq, tornBytes } = examineNewest(segments, known.nextSeq);
  for (const segment of segments.all) segment.remaining = countRemaining(segments, segment);
  segments.removeSettled(false);
  const sentBelow = Math.min(known.sentBelow, nextSeq);
  // The last segment is never removed.
  const isLost = found.length === 0 && (page ? page.nextSeq > 1 : isUsed);
  return { segments, ledger, recovered: { series, epoch, nextSeq, sentBelow, isLost, tornBytes, quarantined } };
}

/** The ledger's page, if it is that of these segments. */
function knownOf(page: LedgerPage | undefined, found: readonly Found[]): LedgerPage | undefined {
  const newest = found.at(-1);
  const isTheirs = newest ? page?.series === newest.series : page?.nextSeq === 1;
  return isTheirs ? page : undefined;
}

/** Without a ledger all is sent again, under the epoch that the newest segment names. */
function unknownSpool(found: readonly Found[], newEpoch: () => number): LedgerPage {
  const series = found.at(-1)?.series ?? newEpoch();
  const epoch = found.findLast(({ header }) => header)?.header?.epoch ?? series;
  return { series, epoch, nextSeq: 1, sentBelow: Infinity, settled: [] };
}

function findSegments(disk: Disk): Found[] {
  const files = disk.list().toSorted((a, b) => a.name.localeCompare(b.name));
  const found = files.flatMap(({ name, bytes }) => {
    const [, series, first] = namePattern.exec(name) ?? [];
    if (series === undefined) return [];
    return [{ name, bytes, series: Number(series), first: Number(first), header: headerOf(disk, name) }];
  });
  for (const { name } of files) if (name.endsWith(unfinished)) attempt(() => disk.remove(name));
  return found;
}

function headerOf(disk: Disk, name: string): SegmentHeader | undefined {
  try {
    const header = readHeader(disk.read(name, 0, headerBytes));
    if (header && header.version > formatVersion) {
      throw new AppError(
        'unavailable',
        `The spool has format ${header.version} and this version reads up to ${formatVersion}: run the newer Watchkeeper that wrote it, or move the folder away.`,
      );
    }
    return header;
  } catch (error) {
    if (isDiskError(error)) return undefined;
    throw error;
  }
}

/** The segments of the newest series, without leftovers that a rewritten older segment already covers. */
function usable(
  disk: Disk,
  all: readonly Found[],
): { readonly found: readonly Found[]; readonly quarantined: string[] } {
  const series = all.at(-1)?.series;
  const foreign = all.filter((segment) => segment.series !== series || isForeign(segment));
  for (const { name } of foreign) attempt(() => quarantine(disk, name));
  const found: Found[] = [];
  let covered = 0;
  for (const segment of all.filter((segment) => !foreign.includes(segment))) {
    if (segment.first <= covered) attempt(() => removeLeftover(disk, segment.name));
    else found.push(segment);
    covered = Math.max(covered, segment.header?.sparse?.last ?? 0);
  }
  return { found, quarantined: foreign.map(({ name }) => name) };
}

/** The rename of the rewritten segment must be durable first. */
function removeLeftover(disk: Disk, name: string): void {
  disk.sync();
  disk.remove(name);
}

function isForeign({ header, first }: Found): boolean {
  return header !== undefined && header.first !== first;
}

function asSegments(found: readonly Found[], nextSeq: number): Segment[] {
  return found.map(({ name, first, bytes, header }, index): Segment => {
    const next = found[index + 1]?.first ?? Math.max(nextSeq, first);
    const sparse = header?.sparse;
    const mayDrop = sparse === undefined;
    return {
      name,
      first,
      last: next - 1,
      bytes,
      remaining: 0,
      ...(sparse && { sparse }),
      mayDrop,
      isDamaged: false,
      failedReads: 0,
    };
  });
}

/**
 * A killed process may have left records that only the kernel has, or that a failed sync made it forget. Written again
 * in their place, which takes no space, and synced, they may be sent. Then what gap entries among them declare is settled,
 * because that may not have reached the ledger. False if the segment cannot be read now; throws what the disk says to writing.
 */
export function secureNewest(segments: Segments): boolean {
  const newest = segments.all.at(-1);
  if (!newest) return true;
  const contents = segments.contents(newest);
  if (!contents || contents.records.length === 0) return contents !== undefined;
  const { bytes, records } = contents;
  const file = segments.disk.open(newest.name);
  try {
    file.write(bytes, 0);
    file.sync();
  } finally {
    file.close();
  }
  segments.disk.sync();
  for (const { start, end } of records.filter(({ isGap }) => isGap)) {
    // The checksum is right and only this code sets the flag, so this is a gap item.
    const gap = JSON.parse(bytes.toString('utf8', start, end)) as GapItem;
    segments.settle(gap.ranges);
  }
  return true;
}

/** The newest segment decides which number comes next. */
function examineNewest(segments: Segments, knownNext: number): { nextSeq: number; tornBytes: number } {
  const newest = segments.all.at(-1);
  if (!newest) return { nextSeq: knownNext, tornBytes: 0 };
  newest.last = Number.MAX_SAFE_INTEGER;
  const records = segments.contents(newest)?.records ?? [];
  const tornBytes = newest.bytes - (records.at(-1)?.end ?? Math.min(headerBytes, newest.bytes));
  const last = records.at(-1)?.seq ?? newest.first - 1;
  const nextSeq = Math.max(
    knownNext,
    last + 1 + mostRecordsAfter(records, newest.bytes),
    (newest.sparse?.last ?? 0) + 1,
  );
  newest.last = nextSeq - 1;
  return { nextSeq, tornBytes };
}

/** What of a segment is to be sent, and what is to be declared lost; a segment with neither is removed unread. */
function countRemaining(segments: Segments, segment: Segment): number {
  const { first, last, sparse } = segment;
  const dense = segments.settled.missingIn([(sparse?.last ?? first - 1) + 1, last]);
  if (!sparse || segments.settled.countIn([first, sparse.last]) === 0) return countOf(dense) + (sparse?.count ?? 0);
  const contents = segments.contents(segment);
  if (!contents) return countOf(dense) + sparse.count;
  return segments.unsettled(contents).length + countOf(segments.lostIn(segment, contents));
}
