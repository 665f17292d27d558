import { crc32 } from 'node:zlib';

/**
 * A segment, bytes ↔ records; numbers are little-endian.
 *
 *     header   "WKSP" · u16 version · u16 flags · f64 epoch · f64 first · f64 last · u32 count · u32 crc
 *     record   u32 crc · u32 length and flags · f64 seq · f64 at · JSON in UTF-8
 *
 * A record carries its own number, so a damaged place costs only the records it touches: the reader goes on at the next
 * good one and knows which are missing.
 */
export const formatVersion = 1;
export const segmentBytes = 1024 * 1024;
export const headerBytes = 40;
export const recordHeaderBytes = 24;
/** Large enough for any result; four of them fit into a segment. */
export const maxItemBytes = 256 * 1024;

const magic = 0x50534b57;
const sparseFlag = 1;
const droppableFlag = 0x8000_0000;
const gapFlag = 0x4000_0000;
const lengthMask = 0x00ff_ffff;

/**
 * `sparse` is set on a segment that was rewritten without what needs no sending: it holds `count` records of the numbers
 * up to `last`, and says that the others are settled.
 */
export interface SegmentHeader {
  readonly version: number;
  readonly epoch: number;
  readonly first: number;
  readonly sparse?: { readonly last: number; readonly count: number };
}

export interface RecordFacts {
  readonly seq: number;
  /** When it was recorded, epoch milliseconds. */
  readonly at: number;
  readonly droppable: boolean;
  readonly isGap: boolean;
}

/** A record and where its JSON lies in the segment's bytes. */
export interface StoredRecord extends RecordFacts {
  readonly start: number;
  readonly end: number;
}

export function writeHeader(bytes: Buffer, { version, epoch, first, sparse }: SegmentHeader): void {
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt16LE(version, 4);
  bytes.writeUInt16LE(sparse ? sparseFlag : 0, 6);
  bytes.writeDoubleLE(epoch, 8);
  bytes.writeDoubleLE(first, 16);
  bytes.writeDoubleLE(sparse?.last ?? 0, 24);
  bytes.writeUInt32LE(sparse?.count ?? 0, 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36);
}

/** The header, or nothing when it is damaged; a version above ours is for the caller to refuse. */
export function readHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < headerBytes || bytes.readUInt32LE(0) !== magic) return undefined;
  if (crc32(bytes.subarray(0, 36)) !== bytes.readUInt32LE(36)) return undefined;
  const isSparse = (bytes.readUInt16LE(6) & sparseFlag) !== 0;
  return {
    version: bytes.readUInt16LE(4),
    epoch: bytes.readDoubleLE(8),
    first: bytes.readDoubleLE(16),
    ...(isSparse && { sparse: { last: bytes.readDoubleLE(24), count: bytes.readUInt32LE(32) } }),
  };
}

/** Writes a record at `offset`; the caller has made sure that it fits. */
export function writeRecord(
  bytes: Buffer,
  offset: number,
  record: RecordFacts & { readonly json: string },
): StoredRecord {
  const start = offset + recordHeaderBytes;
  const length = bytes.write(record.json, start);
  const flags = (record.droppable ? droppableFlag : 0) + (record.isGap ? gapFlag : 0);
  bytes.writeUInt32LE(length + flags, offset + 4);
  bytes.writeDoubleLE(record.seq, offset + 8);
  bytes.writeDoubleLE(record.at, offset + 16);
  const end = start + length;
  bytes.writeUInt32LE(crc32(bytes.subarray(offset + 4, end)), offset);
  const { seq, at, droppable, isGap } = record;
  return { seq, at, droppable, isGap, start, end };
}

/** Every good record, ascending. */
export function readRecords(bytes: Buffer, first: number): StoredRecord[] {
  const records: StoredRecord[] = [];
  let next = first;
  for (let offset = headerBytes; offset + recordHeaderBytes <= bytes.length;) {
    const record = recordAt(bytes, offset, next);
    if (record) {
      records.push(record);
      next = record.seq + 1;
    }
    offset = record?.end ?? offset + 1;
  }
  return records;
}

/**
 * How many records could have been in what follows the last good one. Their numbers are never given away again: a
 * write that was cut short cannot be told from one that was complete, sent, and damaged later.
 */
export function mostRecordsAfter(records: readonly StoredRecord[], fileBytes: number): number {
  const rest = fileBytes - (records.at(-1)?.end ?? headerBytes);
  return Math.max(0, Math.floor(rest / (recordHeaderBytes + '{}'.length)));
}

function recordAt(bytes: Buffer, offset: number, lowest: number): StoredRecord | undefined {
  const seq = bytes.readDoubleLE(offset + 8);
  if (!(seq >= lowest) || !Number.isSafeInteger(seq)) return undefined;
  const word = bytes.readUInt32LE(offset + 4);
  const start = offset + recordHeaderBytes;
  const end = start + (word & lengthMask);
  if (end > bytes.length || crc32(bytes.subarray(offset + 4, end)) !== bytes.readUInt32LE(offset)) return undefined;
  const at = bytes.readDoubleLE(offset + 16);
  return { seq, at, droppable: (word & droppableFlag) !== 0, isGap: (word & gapFlag) !== 0, start, end };
}
