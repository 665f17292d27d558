import type { DatabaseSync } from 'node:sqlite';
import { dayMs, hourMs, mergeSummaries, resolutionMs, summarize, type Resolution, type Summary } from '../summary.ts';
import type { TimeRange } from '../store.ts';
import { bytesIn, RunReader } from './rows.ts';
import { findingOf, latencyOf, type Run } from './run.ts';
import { unpackSummary } from './summary-bytes.ts';

export const hoursPerDay = dayMs / hourMs;

/** Summaries of one series: kept for sealed hours and their days, made on the spot for minutes and for hours not sealed yet. */
export class SummaryReader {
  readonly #runs: RunReader;
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#runs = new RunReader(db);
    this.#statements = prepare(db);
  }

  read(series: number, resolution: Resolution, { from, to }: TimeRange): Summary[] {
    const span = this.#statements.span.get();
    if (span === undefined || span['first'] === null) return [];
    const stepMs = resolution === 'day' ? dayMs : hourMs;
    const first = Math.max(Math.floor(from / stepMs), Math.floor((Number(span['first']) * hourMs) / stepMs));
    const last = Math.min(Math.ceil(to / stepMs) - 1, Math.floor((Number(span['last']) * hourMs) / stepMs));
    const summaries: Summary[] = [];
    for (let bucket = first; bucket <= last; bucket++) summaries.push(...this.#of(series, resolution, bucket));
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
    span: db.prepare(`
      SELECT min(hour) AS first, max(hour) AS last FROM (
        SELECT min(day) * 24 AS hour FROM days UNION ALL SELECT max(day) * 24 + 23 FROM days
        UNION ALL SELECT min(hour) FROM unsealed UNION ALL SELECT max(hour) FROM unsealed)`),
  };
}
