import { attempt, type Disk, type DiskFile } from './disk.ts';
import { segmentName } from './recovery.ts';
import {
  formatVersion,
  headerBytes,
  recordHeaderBytes,
  segmentBytes,
  writeHeader,
  writeRecord,
  type RecordFacts,
} from './segment.ts';
import type { Contents, Segment } from './segments.ts';

export type NewRecord = RecordFacts & { readonly json: string; readonly jsonBytes: number };

/** Writes one new segment: records gather in memory, and `flush` makes them durable with one write. */
export class SegmentWriter {
  readonly segment: Segment;
  /** Grows with each flush: the segment as it can be read. */
  readonly contents: Contents;
  readonly #disk: Disk;
  readonly #gathered: Contents['records'] = [];
  #file: DiskFile | undefined;
  #end = headerBytes;
  #written = 0;

  constructor(
    disk: Disk,
    { series, epoch, first }: { readonly series: number; readonly epoch: number; readonly first: number },
  ) {
    this.#disk = disk;
    this.contents = { bytes: Buffer.allocUnsafe(segmentBytes), records: [] };
    writeHeader(this.contents.bytes, { version: formatVersion, epoch, first });
    this.segment = {
      name: segmentName(series, first),
      first,
      last: first - 1,
      bytes: 0,
      remaining: 0,
      mayDrop: true,
      isDamaged: false,
      failedReads: 0,
    };
  }

  /** True once something of it is on the disk. */
  get isStarted(): boolean {
    return this.#written > 0;
  }

  fits({ jsonBytes }: NewRecord): boolean {
    return this.#end + recordHeaderBytes + jsonBytes <= segmentBytes;
  }

  /** False if it does not fit. */
  #gather(record: NewRecord): boolean {
    if (!this.fits(record)) return false;
    const stored = writeRecord(this.contents.bytes, this.#end, record);
    this.#gathered.push(stored);
    this.#end = stored.end;
    return true;
  }

  /** Returns how many of them fitted in. */
  gatherAll(records: readonly NewRecord[]): number {
    const full = records.findIndex((record) => !this.#gather(record));
    return full === -1 ? records.length : full;
  }

  /** Throws the disk's error; then nothing gathered counts as recorded, and this writer must not be used again. */
  flush(): void {
    this.#file ??= this.#disk.create(this.segment.name);
    this.#file.write(this.contents.bytes.subarray(this.#written, this.#end), this.#written);
    this.#file.sync();
    if (!this.isStarted) this.#disk.sync();
    this.#written = this.#end;
    this.segment.bytes = this.#end;
    const last = this.#gathered.at(-1)?.seq ?? this.segment.last;
    // Numbers dropped before they were written count as remaining until a gap settles them.
    this.segment.remaining += last - this.segment.last;
    this.segment.last = last;
    this.contents.records.push(...this.#gathered.splice(0));
  }

  /** Closing can fail on a broken disk; nothing can be done about it then. */
  close(): void {
    attempt(() => this.#file?.close());
  }
}
