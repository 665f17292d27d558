import { z } from 'zod';
import { recordText } from './record-text.ts';
import { sensorRecord, type SensorRecord } from '../core/record.ts';
import { sensorNames } from '../core/sensor.ts';
import { readLine } from './chain.ts';

const stamp = z.object({
  sensor: z.enum(sensorNames),
  at: z.number().min(0).max(8.64e15),
  monotonicMs: z.number().min(0),
  boot: z.string().max(40),
  /** That of another version is read as far as this version knows its records. */
  v: z.int().min(2).max(1000).optional(),
});

/** The record in a line, with the line's number. */
export interface LineContent {
  readonly n: number;
  readonly stamp: z.output<typeof stamp>;
  readonly record: SensorRecord;
}

/** Undefined if it is not a line of a chain, or not a record that this version knows. */
export function contentOf(line: string): LineContent | undefined {
  const sealed = readLine(line);
  if (!sealed) return undefined;
  const body = parsed(line);
  const { n: _n, p: _p, m: _m, sensor, at, monotonicMs, boot, v, ...rest } = body;
  const [known, record] = [stamp.safeParse({ sensor, at, monotonicMs, boot, v }), sensorRecord.safeParse(rest)];
  return known.success && record.success ? { n: sealed.n, stamp: known.data, record: record.data } : undefined;
}

/** As people read a line: when, by the agent's clock, and what. The same line gives the same text, so that a verifier can compare. */
export function lineText(line: string): string {
  return contentText(contentOf(line));
}

/** The same of a line that was read already. */
export function contentText(content: LineContent | undefined): string {
  if (!content) return 'a line that this version cannot read';
  const { at, sensor, v = 1 } = content.stamp;
  return `${new Date(at).toISOString()} ${recordText(content.record, sensor, v)}`;
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    // A line has the form of an object; its contents were checked above.
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
