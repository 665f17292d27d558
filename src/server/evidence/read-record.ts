import type { RecordItem, SealedRecord } from '../../core/entry.ts';
import type { SensorName } from '../../core/sensor.ts';
import { hashOf, readLine } from '../../records/chain.ts';
import { contentOf, type LineContent } from '../../records/record-line.ts';

export interface Reading {
  readonly record: Omit<SealedRecord, 'seq' | 'address'>;
  /** Undefined if it says what only a newer version knows. */
  readonly content: LineContent | undefined;
}

export interface ReadOptions {
  /** What the chain is of; undefined if the chain is not known. */
  readonly sensor: SensorName | undefined;
  readonly receivedAt: number;
}

/** What the line of a record says; undefined if it is no line of a chain, or of another sensor's. */
export function readRecord({ chain, line }: RecordItem, { sensor, receivedAt }: ReadOptions): Reading | undefined {
  const sealed = readLine(line);
  const content = contentOf(line);
  const of = sensor ?? content?.stamp.sensor;
  if (!sealed || of === undefined || (content && content.stamp.sensor !== of)) return undefined;
  const event = content?.record.event ?? 'unknown';
  const at = content?.stamp.at ?? receivedAt;
  return { record: { chain, sensor: of, n: sealed.n, at, event, line, hash: hashOf(line), receivedAt }, content };
}
