import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { AppError } from '../../../core/errors.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { readColumn, writeColumn } from './column.ts';
import { findingOf, numberNames, type Run } from './run.ts';

/**
 * An hour of a task: how many runs, the distinct findings, which run had which (run-length), the slots (change of the step, so a
 * steady interval is zeros), then a column for each number in order of first use.
 */
const version = 1;
/** Text common to most findings. It is part of the format: another dictionary is another version. */
const dictionary = Buffer.from(
  [
    '"status":"degraded","reason":"threshold","source":"path","status":"unknown","reason":"missed","source":"agent",',
    '"status":"down","reason":"unreachable","refused","reset","timeout","source":"target","message":"Expected , got ',
    '"metrics":["offsetMs","delayMs","stratum","lossPercent","minMs","avgMs","maxMs","jitterMs","certificateDays",',
    '"statusCode","bytes","proxyMs","resolveMs","connectMs","tlsMs","firstByteMs","transferMs"]}',
    '{"status":"up","message":"200 OKPort 443 on www.example.com is open.","detail":{"address":"192.168.10.1"},',
    '"hasLatency":true,"metrics":["resolveMs","connectMs"]}',
  ].join(''),
);
const compression = { [constants.ZSTD_c_compressionLevel]: 9, [constants.ZSTD_c_checksumFlag]: 1 };
/** Far more than an hour at one result a second; a larger count is not a chunk of ours. */
const maxChunkBytes = 64 * 2 ** 20;

/** The runs, in order, packed. Fractions are rounded (see column.ts); all else is kept as it is. */
export function packChunk(runs: readonly Run[]): Buffer {
  const writer = new ByteWriter();
  const findings = [...new Set(runs.map(({ finding }) => finding))];
  writer.unsigned(version);
  writer.unsigned(runs.length);
  writer.unsigned(findings.length);
  for (const finding of findings) writer.text(finding);
  writeLengths(writer, runs, findings);
  writeSlots(writer, runs);
  const written: number[][] = [];
  for (const values of columnsOf(runs).values()) written.push(writeColumn(writer, values, written));
  return zstdCompressSync(writer.finish(), { params: compression, dictionary });
}

/** Throws `internal` for bytes that are no chunk. */
export function unpackChunk(chunk: Uint8Array): Run[] {
  const reader = new ByteReader(decompress(chunk));
  const found = reader.unsigned();
  if (found !== version) throw new AppError('internal', `Expected stored data of version ${version}, found ${found}.`);
  const count = reader.unsigned();
  const findings = Array.from({ length: reader.unsigned() }, () => reader.text());
  const findingOfRun = readLengths(reader, { count, findings });
  const slots = readSlots(reader, count);
  const namesOf = new Map(findings.map((finding) => [finding, numberNames(findingOf({ finding }))]));
  const columns = readColumns(
    reader,
    findingOfRun.map((finding) => namesOf.get(finding) ?? []),
  );
  return slots.map((at, index) => ({ at, finding: findingOfRun[index] ?? '', numbers: columns[index] ?? [] }));
}

function decompress(chunk: Uint8Array): Buffer {
  try {
    return zstdDecompressSync(chunk, { maxOutputLength: maxChunkBytes, dictionary });
  } catch (error) {
    throw new AppError('internal', `Stored results cannot be unpacked: ${(error as Error).message}.`, { cause: error });
  }
}

function writeLengths(writer: ByteWriter, runs: readonly Run[], findings: readonly string[]): void {
  const indexOf = new Map(findings.map((finding, index) => [finding, index]));
  for (let start = 0; start < runs.length;) {
    const finding = runs[start]?.finding ?? '';
    let end = start + 1;
    while (runs[end]?.finding === finding) end++;
    writer.unsigned(indexOf.get(finding) ?? 0);
    writer.unsigned(end - start);
    start = end;
  }
}

function readLengths(
  reader: ByteReader,
  { count, findings }: { readonly count: number; readonly findings: readonly string[] },
): string[] {
  const findingOfRun: string[] = [];
  while (findingOfRun.length < count) {
    const finding = findings[reader.unsigned()];
    const length = reader.unsigned();
    if (finding === undefined || length === 0 || length > count - findingOfRun.length) {
      throw new AppError('internal', 'Stored results contradict themselves: a run-length does not fit.');
    }
    for (let n = 0; n < length; n++) findingOfRun.push(finding);
  }
  return findingOfRun;
}

function writeSlots(writer: ByteWriter, runs: readonly Run[]): void {
  let at = 0;
  let step = 0;
  for (const run of runs) {
    const nextStep = run.at - at;
    writer.signed(nextStep - step);
    at = run.at;
    step = nextStep;
  }
}

function readSlots(reader: ByteReader, count: number): number[] {
  let at = 0;
  let step = 0;
  return Array.from({ length: count }, () => {
    step += reader.signed();
    at += step;
    return at;
  });
}

function columnsOf(runs: readonly Run[]): Map<string, number[]> {
  const columns = new Map<string, number[]>();
  const namesOf = new Map<string, readonly string[]>();
  for (const run of runs) {
    const names = namesOf.getOrInsertComputed(run.finding, () => numberNames(findingOf(run)));
    for (const [index, name] of names.entries()) {
      columns.getOrInsertComputed(name, () => []).push(run.numbers[index] ?? 0);
    }
  }
  return columns;
}

/** The numbers of each run, whose names are given: columns come in order of first use, as `columnsOf` made them. */
function readColumns(reader: ByteReader, namesOfRun: readonly (readonly string[])[]): number[][] {
  const sizes = new Map<string, number>();
  for (const name of namesOfRun.flat()) sizes.set(name, (sizes.get(name) ?? 0) + 1);
  const read: number[][] = [];
  for (const count of sizes.values()) read.push(readColumn(reader, count, read));
  const columns = new Map([...sizes.keys()].map((name, index) => [name, read[index]?.values()]));
  return namesOfRun.map((names) => names.map((name) => columns.get(name)?.next().value ?? 0));
}
