import type { DatabaseSync } from 'node:sqlite';
import { dayMs, hourMs, mergeSummaries, resolutionMs, summarize, type Resolution, type Summary } from '../summary.ts';
import type { TimeRange } from '../store.ts';
import { bytesIn, type RunReader } from './rows.ts';
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
    const next = resolution === 'day' ? this.#statements.nextDay : this.#statements.nextHour;
    const summaries: Summary[] = [];
    let bucket = next.get({ from: Math.floor(from / stepMs) })?.['bucket'];
    while (typeof bucket === 'number' && bucket * stepMs < to) {
      summaries.push(...this.#of(series, resolution, bucket));
      bucket = next.get({ from: bucket + 1 })?.['bucket'];
    }
    return summaries.filter(({ start }) => start + resolutionMs[resolution] > from && start < to);
  }

  #of(series: number, resolution: Resolution, bucket: number): readonly Summary[] {
    if (resolution === 'day') return this.#day(series, bucket);
    return resolution === 'hour' ? this.#hour(series, bucket) : this.#minutes(series, bucket);
  }

  #minutes(series: number, hour: number): readonly Summary[] {
    const minutes = Map.groupBy(this.#runs.hour(series, hour), minuteOf);
    return [...minutes].map(([start, runs]) => summarizeRuns(start, runs));
  }

  #hour(series: number, hour: number): readonly Summary[] {
    const start = hour * hourMs;
    if (this.#statements.isUnsealed.get(hour, series)) return [summarizeRuns(start, this.#runs.hour(series, hour))];
    const row = this.#statements.hour.get(hour, series);
    return row === undefined ? [] : [unpackSummary(start, bytesIn(row, 'summary'))];
  }

  #day(series: number, day: number): readonly Summary[] {
    const start = day * dayMs;
    const first = day * hoursPerDay;
    if (this.#statements.hasUnsealed.get(first, first + hoursPerDay - 1, series)) {
      const hours = Array.from({ length: hoursPerDay }, (_, index) => this.#hour(series, first + index));
      return [mergeSummaries(start, hours.flat())];
    }
    const row = this.#statements.day.get(day, series);
    return row === undefined ? [] : [unpackSummary(start, bytesIn(row, 'summary'))];
  }
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
    isUnsealed: db.prepare('SELECT 1 FROM unsealed WHERE hour = ? AND series = ?'),
    hasUnsealed: db.prepare('SELECT 1 FROM unsealed WHERE hour BETWEEN ? AND ? AND series = ? LIMIT 1'),
    hour: db.prepare('SELECT summary FROM hours WHERE hour = ? AND series = ?'),
    day: db.prepare('SELECT summary FROM days WHERE day = ? AND series = ?'),
    // Only what any series has: a time far off must cost no walk through the empty hours before it.
    nextHour: db.prepare(`
      SELECT min(bucket) AS bucket FROM (
        SELECT min(hour) AS bucket FROM hours WHERE hour >= :from
        UNION ALL SELECT min(hour) FROM unsealed WHERE hour >= :from)`),
    nextDay: db.prepare(`
      SELECT min(bucket) AS bucket FROM (
        SELECT min(day) AS bucket FROM days WHERE day >= :from
        UNION ALL SELECT min(hour) / ${hoursPerDay} FROM unsealed WHERE hour >= :from * ${hoursPerDay})`),
  };
}
