import { z } from 'zod';

/** A time in an answer: ISO 8601 in UTC. */
export const isoTimeSchema = z.iso.datetime();

/** A time that a person or a program gives: ISO 8601 with a zone, as epoch milliseconds once parsed. */
export const givenTime = z.iso
  .datetime({ offset: true, error: 'expected a time with its zone, like 2026-12-02T08:00:00Z' })
  .transform(Date.parse);

export function isoTimeOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Null where there is no time. */
export function isoTimeOrNull(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : isoTimeOf(epochMs);
}
