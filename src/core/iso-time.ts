import { z } from 'zod';
import { AppError } from './errors.ts';

/** A time in an answer: ISO 8601 in UTC. */
export const isoTimeSchema = z.iso.datetime();

/** A time that a person or a program gives: ISO 8601 with a zone, as epoch milliseconds once parsed. */
export const givenTime = z.iso
  .datetime({ offset: true, error: 'expected a time with its zone, like 2026-12-02T08:00:00Z' })
  .transform(Date.parse);

/** @throws {AppError} usage, when a period would end before it begins */
export function assertPeriod({
  from,
  to,
}: {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}): void {
  if (from === undefined || to === undefined || from <= to) return;
  throw new AppError('usage', `expected from to be before to, got ${isoTimeOf(from)} and ${isoTimeOf(to)}`);
}

export function isoTimeOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Null where there is no time. */
export function isoTimeOrNull(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : isoTimeOf(epochMs);
}
