import type { Latency, Summary } from '../summary.ts';
import { ByteReader, ByteWriter, maxUnsigned } from './bytes.ts';

/** Microseconds: finer than what sealing keeps of a latency. */
const unitsPerMs = 1000;

/** A summary without its start, which is its key. */
export function packSummary({ up, degraded, down, unknown, latency }: Summary): Buffer {
  const writer = new ByteWriter();
  for (const count of [up, degraded, down, unknown]) writer.unsigned(count);
  if (latency === undefined) return writer.finish();
  const { sumMs, minMs, maxMs, histogram } = latency;
  // 142 years are as much as it holds: a sum beyond is one of an agent that makes up its latencies.
  for (const valueMs of [sumMs, minMs, maxMs]) writer.unsigned(Math.min(Math.round(valueMs * unitsPerMs), maxUnsigned));
  let previous = 0;
  for (const [bucket, count] of [...histogram].toSorted(([a], [b]) => a - b)) {
    writer.signed(bucket - previous);
    writer.unsigned(count);
    previous = bucket;
  }
  return writer.finish();
}

export function unpackSummary(start: number, bytes: Uint8Array): Summary {
  const reader = new ByteReader(Buffer.from(bytes));
  const [up, degraded, down, unknown] = [reader.unsigned(), reader.unsigned(), reader.unsigned(), reader.unsigned()];
  return { start, up, degraded, down, unknown, latency: reader.isAtEnd ? undefined : readLatency(reader) };
}

function readLatency(reader: ByteReader): Latency {
  const [sumMs, minMs, maxMs] = [readMs(reader), readMs(reader), readMs(reader)];
  const histogram = new Map<number, number>();
  let count = 0;
  for (let bucket = 0; !reader.isAtEnd;) {
    bucket += reader.signed();
    const inBucket = reader.unsigned();
    histogram.set(bucket, inBucket);
    count += inBucket;
  }
  return { count, sumMs, minMs, maxMs, histogram };
}

function readMs(reader: ByteReader): number {
  return reader.unsigned() / unitsPerMs;
}
