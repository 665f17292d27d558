import { attempt, replaceInSpool } from './disk.ts';
import {
  formatVersion,
  headerBytes,
  recordHeaderBytes,
  segmentBytes,
  writeHeader,
  type StoredRecord,
} from './segment.ts';
import type { Contents, Segment, Segments } from './segments.ts';

export interface Victim {
  readonly segment: Segment;
  readonly contents: Contents;
  /** Its records that may be dropped. */
  readonly droppable: readonly StoredRecord[];
}

/** The oldest full segment that holds something droppable. */
export function chooseVictim(segments: Segments): Victim | undefined {
  for (const segment of segments.all.slice(0, -1).filter(({ mayDrop }) => mayDrop)) {
    const contents = segments.contents(segment);
    if (!contents) return undefined;
    const unsettled = segments.unsettled(contents);
    const droppable = unsettled.filter(({ droppable }) => droppable);
    const hasSettled = unsettled.length < contents.records.length;
    if (droppable.length > 0 || hasSettled) return { segment, contents, droppable };
    segment.mayDrop = false;
  }
  return undefined;
}

/**
 * Writes a segment again with only what is not settled, together with its rewritten neighbour if both fit into one.
 * The new file replaces the older of the two in one step; a leftover of the other is recognised by its range.
 * False if the disk refuses; nothing has changed then.
 */
export function rewrite(segments: Segments, victim: Victim, epoch: number): boolean {
  const parts = withNeighbour(segments, victim);
  const [oldest] = parts;
  const { name, first } = oldest.segment;
  const { last } = victim.segment;
  const records = parts.map(({ contents }) => ({ contents, kept: segments.unsettled(contents) }));
  const sparse = { last, count: records.reduce((sum, { kept }) => sum + kept.length, 0) };
  const bytes = Buffer.concat([
    Buffer.alloc(headerBytes),
    ...records.flatMap(({ contents, kept }) =>
      kept.map(({ start, end }) => contents.bytes.subarray(start - recordHeaderBytes, end)),
    ),
  ]);
  writeHeader(bytes, { version: formatVersion, epoch, first, sparse });
  const isReplaced = attempt(() => {
    replaceInSpool(segments.disk, name, bytes);
    for (const { segment } of parts.slice(1)) segments.disk.remove(segment.name);
  });
  if (!isReplaced) return false;
  segments.all.splice(segments.all.indexOf(oldest.segment), parts.length, {
    name,
    first,
    last,
    bytes: bytes.length,
    remaining: sparse.count,
    sparse,
    mayDrop: false,
    isDamaged: false,
    failedReads: 0,
  });
  // From now on the segment's header says that its other numbers are settled.
  segments.settled.delete([first, last]);
  return true;
}

type Part = Pick<Victim, 'segment' | 'contents'>;

function withNeighbour(segments: Segments, victim: Victim): readonly [Part, ...Part[]] {
  const segment = segments.all[segments.all.indexOf(victim.segment) - 1];
  const contents = segment?.sparse && segments.contents(segment);
  const keptBytes = segments
    .unsettled(victim.contents)
    .reduce((sum, { start, end }) => sum + end - start + recordHeaderBytes, 0);
  if (!segment || !contents || segments.lostIn(segment, contents).length > 0) return [victim];
  if (segment.bytes + keptBytes > segmentBytes) return [victim];
  return [{ segment, contents }, victim];
}
