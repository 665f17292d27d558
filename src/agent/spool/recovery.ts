import { AppError } from '../../core/errors.ts';
import type { GapItem } from '../../core/entry.ts';
import { isDiskError, unfinished } from '../on-disk.ts';
import { attempt, type Disk } from './disk.ts';
import { Ledger } from './ledger.ts';
import { countOf, RangeSet } from '../../core/ranges.ts';
import { formatVersion, headerBytes, mostRecordsAfter, readHeader, type SegmentHeader } from './segment.ts';
import { quarantine, Segments, type Segment } from './segments.ts';

export interface Recovered {
  readonly epoch: number;
  readonly nextSeq: number;
  /** Bytes at the end of the newest segment that form no record, left by an interrupted write. */
  readonly tornBytes: number;
  /** Files that were renamed because they hold nothing usable. */
  readonly quarantined: readonly string[];
}

interface Found {
  readonly name: string;
  readonly bytes: number;
  readonly epoch: number;
  readonly first: number;
  readonly header: SegmentHeader | undefined;
}

const namePattern = /^(\d{16})-(\d{16})\.segment$/;

/** The name repeats epoch and first number, so that a damaged header loses neither. */
export function segmentName(epoch: number, first: number): string {
  return `${String(epoch).padStart(16, '0')}-${String(first).padStart(16, '0')}.segment`;
}

/** Reads the state of the folder, however the last run ended; running it twice gives the same. `newEpoch` is used for an empty folder. */
export function recover(
  disk: Disk,
  newEpoch: number,
): { readonly segments: Segments; readonly ledger: Ledger; readonly recovered: Recovered } {
  const { ledger, page } = Ledger.read(disk);
  const { found, quarantined } = usable(disk, findSegments(disk));
  const epoch = found.at(-1)?.epoch ?? newEpoch;
  const known = page?.epoch === epoch ? page : undefined;
  const segments = new Segments(disk, asSegments(found, known?.nextSeq ?? 1), new RangeSet(known?.settled));
  const { nextSeq, tornBytes } = examineNewest(segments, known?.nextSeq ?? 1);
  for (const segment of segments.all) segment.remaining = countRemaining(segments, segment);
  segments.removeSettled(false);
  return { segments, ledger, recovered: { epoch, nextSeq, tornBytes, quarantined } };
}

function findSegments(disk: Disk): Found[] {
  const files = disk.list().toSorted((a, b) => a.name.localeCompare(b.name));
  const found = files.flatMap(({ name, bytes }) => {
    const [, epoch, first] = namePattern.exec(name) ?? [];
    if (epoch === undefined) return [];
    return [{ name, bytes, epoch: Number(epoch), first: Number(first), header: headerOf(disk, name) }];
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

/** The segments of the newest epoch, without leftovers that a rewritten older segment already covers. */
function usable(
  disk: Disk,
  all: readonly Found[],
): { readonly found: readonly Found[]; readonly quarantined: string[] } {
  const epoch = all.at(-1)?.epoch;
  const foreign = all.filter((segment) => segment.epoch !== epoch || isForeign(segment));
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

function isForeign({ header, epoch, first }: Found): boolean {
  return header !== undefined && (header.epoch !== epoch || header.first !== first);
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

function countRemaining(segments: Segments, segment: Segment): number {
  const { first, last, sparse } = segment;
  const dense = segments.settled.missingIn([(sparse?.last ?? first - 1) + 1, last]);
  if (!sparse || segments.settled.countIn([first, sparse.last]) === 0) return countOf(dense) + (sparse?.count ?? 0);
  const contents = segments.contents(segment);
  return countOf(dense) + (contents ? segments.unsettled(contents).length : sparse.count);
}
