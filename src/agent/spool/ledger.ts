import { crc32 } from 'node:zlib';
import type { SeqRange } from '../../core/entry.ts';
import { isDiskError } from '../on-disk.ts';
import type { Disk, DiskFile } from './disk.ts';

export interface LedgerPage {
  /** The segments that it belongs to. */
  readonly series: number;
  readonly epoch: number;
  /** No number below this is given away again. */
  readonly nextSeq: number;
  /** Entries from this number on were never sent in this epoch; Infinity while that is not known. */
  readonly sentBelow: number;
  /** Numbers that need no more sending. */
  readonly settled: readonly SeqRange[];
}

const fileName = 'ledger';
const magic = 0x4c534b57;
const pageBytes = 64 * 1024;
/** 0 as it was before epochs changed: without series and sentBelow. */
const pageVersion = 1;
const pageHeaderBytes = 56;
const oldHeaderBytes = 40;
const maxRanges = Math.floor((pageBytes - pageHeaderBytes) / 16);

/**
 * What was settled, in a file of fixed size with two pages that are written in turn: a page costs no new space, so it
 * works on a full disk, and a torn one leaves the other. Losing it costs only that entries are sent again.
 *
 *     page   "WKSL" · u32 crc of what follows · f64 generation · f64 epoch · f64 next seq · u32 ranges · u32 version
 *            · f64 series · f64 sent below · (f64 from · f64 to)…
 */
export class Ledger {
  readonly #disk: Disk;
  #file: DiskFile | undefined;
  #generation: number;

  private constructor(disk: Disk, generation: number) {
    this.#disk = disk;
    this.#generation = generation;
  }

  static read(disk: Disk): { readonly ledger: Ledger; readonly page: LedgerPage | undefined } {
    const pages = [0, 1].map((slot) => readPage(disk, slot)).filter((page) => page !== undefined);
    const newest = pages.toSorted((a, b) => b.generation - a.generation)[0];
    return { ledger: new Ledger(disk, newest?.generation ?? 0), page: newest };
  }

  /** Durable when it returns; false if not all ranges fitted. Throws what the disk says. */
  write(page: LedgerPage): boolean {
    this.#file ??= openOrCreate(this.#disk);
    const generation = this.#generation + 1;
    this.#file.write(encodePage(page, generation), (generation % 2) * pageBytes);
    this.#file.sync();
    this.#generation = generation;
    return page.settled.length <= maxRanges;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

function openOrCreate(disk: Disk): DiskFile {
  if (disk.list().some(({ name, bytes }) => name === fileName && bytes === 2 * pageBytes)) return disk.open(fileName);
  const file = disk.create(fileName);
  try {
    file.write(Buffer.alloc(2 * pageBytes), 0);
    file.sync();
    disk.sync();
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

function encodePage({ series, epoch, nextSeq, sentBelow, settled }: LedgerPage, generation: number): Buffer {
  // Ranges that do not fit are sent again after a restart; the server ignores repeats.
  const ranges = settled.slice(0, maxRanges);
  const bytes = Buffer.alloc(pageHeaderBytes + ranges.length * 16);
  bytes.writeUInt32LE(magic, 0);
  [generation, epoch, nextSeq].forEach((value, index) => bytes.writeDoubleLE(value, 8 + index * 8));
  bytes.writeUInt32LE(ranges.length, 32);
  bytes.writeUInt32LE(pageVersion, 36);
  bytes.writeDoubleLE(series, 40);
  bytes.writeDoubleLE(sentBelow, 48);
  ranges.flat().forEach((seq, index) => bytes.writeDoubleLE(seq, pageHeaderBytes + index * 8));
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

function readPage(disk: Disk, slot: number): (LedgerPage & { readonly generation: number }) | undefined {
  const bytes = readSlot(disk, slot);
  if (bytes.length < pageHeaderBytes || bytes.readUInt32LE(0) !== magic) return undefined;
  const count = bytes.readUInt32LE(32);
  const isOld = bytes.readUInt32LE(36) === 0;
  const start = isOld ? oldHeaderBytes : pageHeaderBytes;
  const end = start + count * 16;
  if (end > bytes.length || crc32(bytes.subarray(8, end)) !== bytes.readUInt32LE(4)) return undefined;
  const settled = Array.from({ length: count }, (_, index): SeqRange => {
    const offset = start + index * 16;
    return [bytes.readDoubleLE(offset), bytes.readDoubleLE(offset + 8)];
  });
  const [generation, epoch, nextSeq] = [bytes.readDoubleLE(8), bytes.readDoubleLE(16), bytes.readDoubleLE(24)];
  const [series, sentBelow] = isOld ? [epoch, Infinity] : [bytes.readDoubleLE(40), bytes.readDoubleLE(48)];
  return { generation, series, epoch, nextSeq, sentBelow, settled };
}

function readSlot(disk: Disk, slot: number): Buffer {
  try {
    return disk.read(fileName, slot * pageBytes, pageBytes);
  } catch (error) {
    if (isDiskError(error)) return Buffer.alloc(0);
    throw error;
  }
}
