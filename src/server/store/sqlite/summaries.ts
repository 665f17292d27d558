import type { DatabaseSync } from 'node:sqlite';
import { dayMs, hourMs, mergeSummaries, resolutionMs, summarize, type Resolution, type Summary } from '../summary.ts';
import type { TimeRange } from '../store.ts';
import { blobIn, type Row, type RunReader } from './rows.ts';
import { findingOf, latencyOf, type Run } from './run.ts';
import { unpackSummary } from './summary-bytes.ts';

export const hoursPerDay = dayMs / hourMs;

/** Summaries of one series: kept for sealed hours and their days, made on the spot for minutes and for hours not sealed yet. */
export class SummaryReader {
  readonly #runs: RunReader;
  readonly #statements;

  constructor(db: DatabaseSync, runs: RunReader) {
    this.#runs = runs;
    this.#statements = prepare(db);
  }

  read(series: number, resolution: Resolution, { from, to }: TimeRange): Summary[] {
    const stepMs = resolution === 'day' ? dayMs : hourMs;
    const buckets = { series, first: Math.floor(from / stepMs), last: Math.ceil(to / stepMs) - 1 };
    const summaries = this.#in(resolution, buckets);
    return summaries.filter(({ start }) => start + resolutionMs[resolution] > from && start < to);
  }

  #in(resolution: Resolution, buckets: Buckets): readonly Summary[] {
    if (resolution === 'day') return this.#days(buckets);
    return resolution === 'hour' ? this.#hours(buckets) : this.#minutes(buckets);
  }

  #minutes(hours: Buckets): readonly Summary[] {
    const sealed = this.#statements.sealedHours.all(hours).map(bucketIn);
    const withRuns = [...new Set([...sealed, ...this.#unsealed(hours)])].toSorted((a, b) => a - b);
    return withRuns.flatMap((hour) => {
      const minutes = Map.groupBy(this.#runs.hour(hours.series, hour), minuteOf);
      return [...minutes].map(([start, runs]) => summarizeRuns(start, runs));
    });
  }

  #hours(hours: Buckets): readonly Summary[] {
    const byHour = summariesIn(this.#statements.sealedHours.all(hours), hourMs);
    for (const hour of this.#unsealed(hours)) {
      byHour.set(hour, summarizeRuns(hour * hourMs, this.#runs.hour(hours.series, hour)));
    }
    return inOrder(byHour);
  }

  #days(days: Buckets): readonly Summary[] {
    const byDay = summariesIn(this.#statements.sealedDays.all(days), dayMs);
    const { series, first, last } = days;
    const unsealed = this.#unsealed({ series, first: first * hoursPerDay, last: (last + 1) * hoursPerDay - 1 });
    for (const day of new Set(unsealed.map((hour) => Math.floor(hour / hoursPerDay)))) {
      const hours = this.#hours({ series, first: day * hoursPerDay, last: (day + 1) * hoursPerDay - 1 });
      byDay.set(day, mergeSummaries(day * dayMs, hours));
    }
    return inOrder(byDay);
  }

  #unsealed(hours: Buckets): readonly number[] {
    return this.#statements.unsealedHours.all(hours).map(bucketIn);
  }
}

/** Hours or days since the epoch, both included. */
type Buckets = Readonly<Record<'series' | 'first' | 'last', number>>;

function bucketIn(row: Row): number {
  return Number(row['bucket']);
}

function summariesIn(rows: readonly Row[], stepMs: number): Map<number, Summary> {
  return new Map(
    rows.map((row) => [bucketIn(row), unpackSummary(bucketIn(row) * stepMs, blobIn(row, 'summary'))] as const),
  );
}

function inOrder(summaries: ReadonlyMap<number, Summary>): readonly Summary[] {
  return [...summaries.values()].toSorted((a, b) => a.start - b.start);
}

function minuteOf({ at }: Run): number {
  return Math.floor(at / resolutionMs.minute) * resolutionMs.minute;
}

export function summarizeRuns(start: number, runs: readonly Run[]): Summary {
  const findings = new Map(
    [...new Set(runs.map(({ finding }) => finding))].map((text) => [text, findingOf({ finding: text })]),
  );
  return summarize(
    start,
    runs.flatMap((run) => {
      const finding = findings.get(run.finding);
      return finding === undefined ? [] : [{ status: finding.status, ...latencyOf(finding, run) }];
    }),
  );
}

function prepare(db: DatabaseSync) {
  return {
    sealedHours: db.prepare(ofSeries({ table: 'hours', key: 'hour', columns: 't.summary' })),
    sealedDays: db.prepare(ofSeries({ table: 'days', key: 'day', columns: 't.summary' })),
    unsealedHours: db.prepare(ofSeries({ table: 'unsealed', key: 'hour', columns: '1' })),
  };
}

/**
 * The rows of one series in a table whose key begins with time: a seek for each time that any series has. A plain range would
 * read every other series too, and a time far off must cost no walk through the empty ones before it.
 */
function ofSeries({ table, key, columns }: Readonly<Record<'table' | 'key' | 'columns', string>>): string {
  return `
    WITH RECURSIVE walk (bucket) AS (
      SELECT min(${key}) FROM ${table} WHERE ${key} >= :first
      UNION ALL
      SELECT (SELECT min(${key}) FROM ${table} WHERE ${key} > walk.bucket) FROM walk WHERE walk.bucket < :last)
    SELECT walk.bucket, ${columns} FROM walk CROSS JOIN ${table} t ON t.${key} = walk.bucket AND t.series = :series
    WHERE walk.bucket <= :last`;
}
