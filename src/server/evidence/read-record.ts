import type { RecordItem, SealedRecord } from '../../core/entry.ts';
import type { SensorName } from '../../core/sensor.ts';
import { hashOf, readLine } from '../../records/chain.ts';
import { contentOf, type LineContent } from '../../records/record-line.ts';

export interface Reading {
  readonly record: Omit<SealedRecord, 'seq' | 'address'>;
  /** Undefined if only a newer version knows this record. */
  readonly content: LineContent | undefined;
}

/** Of the chain that a record belongs to, and when the record came. */
export interface RecordArrival {
  /** Sensor of the chain; undefined if the chain is unknown. */
  readonly sensor: SensorName | undefined;
  readonly receivedAt: number;
}

/** Reads the line of a record; undefined if it is not a line of a chain, or of another sensor's. */
export function readRecord({ chain, line }: RecordItem, { sensor, receivedAt }: RecordArrival): Reading | undefined {
  const sealed = readLine(line);
  const content = contentOf(line);
  const of = sensor ?? content?.stamp.sensor;
  if (!sealed || of === undefined || (content && content.stamp.sensor !== of)) return undefined;
  const event = content?.record.event ?? 'unknown';
  const at = content?.stamp.at ?? receivedAt;
  return { record: { chain, sensor: of, n: sealed.n, at, event, line, hash: hashOf(line), receivedAt }, content };
}
