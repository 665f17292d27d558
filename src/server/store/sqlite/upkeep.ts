import type { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../../core/errors.ts';
import type { Cutoffs } from '../store.ts';
import { dayMs, hourMs, mergeSummaries } from '../summary.ts';
import { packChunk } from './chunk.ts';
import { PackingFault, type DamagedHours } from './damaged-hours.ts';
import { isDamage } from './database.ts';
import type { LedgerWriter } from './ledger.ts';
import { slotMs, slotsPerHour } from './slots.ts';
import { blobIn, RunReader, type Row } from './rows.ts';
import type { Run } from './run.ts';
import { hoursPerDay, summarizeRuns } from './summaries.ts';
import { packSummary, unpackSummary } from './summary-bytes.ts';

/** Series that one transaction seals: some tens of milliseconds, for which commits wait. */
const seriesPerStep = 16;

/** Seals hours and drops old data. Each step is short and is to be called within a transaction of its own. */
export class Upkeeper {
  readonly #db: DatabaseSync;
  readonly #runs: RunReader;
  readonly #ledger: LedgerWriter;
  readonly #damaged: DamagedHours;
  readonly #statements;

  constructor(
    db: DatabaseSync,
    { ledger, damaged }: { readonly ledger: LedgerWriter; readonly damaged: DamagedHours },
  ) {
    this.#db = db;
    this.#runs = new RunReader(db, damaged);
    this.#ledger = ledger;
    this.#damaged = damaged;
    this.#statements = prepare(db);
  }

  /** Seals some hours that ended before; returns how many, undefined when none is left. A damaged one holds up no other. */
  sealSome(before: number): number | undefined {
    const due = this.#statements.due
      .all(Math.floor(before / hourMs), seriesPerStep + this.#damaged.count)
      .map((row) => ({ series: Number(row['series']), hour: Number(row['hour']) }))
      .filter(({ series, hour }) => !this.#damaged.has(series, hour));
    if (due.length === 0) return undefined;
    return due.filter(({ series, hour }) => this.#trySeal(series, hour)).length;
  }

  /** From now on nothing older than these cutoffs is accepted; `dropSome` deletes what is already stored. */
  raiseHorizon({ decidedAt, resultsBefore, hoursBefore, daysBefore }: Cutoffs): void {
    if (daysBefore > hoursBefore || hoursBefore > resultsBefore) {
      throw new AppError('usage', 'Expected days to be kept at least as long as hours, and hours as long as results.');
    }
    this.#statements.raiseHorizon.run(Math.floor(resultsBefore / hourMs), decidedAt);
    this.#ledger.forget();
  }

  /** Drops an hour of results, of chunks or of summaries; false when nothing older is left. */
  dropSome({ resultsBefore, hoursBefore, daysBefore }: Cutoffs): boolean {
    const firstHour = Math.floor(resultsBefore / hourMs);
    const unsealed = this.#statements.oldestUnsealed.get(firstHour);
    if (unsealed !== undefined) return this.#dropUnsealed(Number(unsealed['hour']));
    // Hours are deleted by whole days: a late result rebuilds the summary of its day from all its hours.
    const drops = [
      this.#statements.dropChunks.run(firstHour),
      this.#statements.dropHours.run(Math.floor(hoursBefore / dayMs) * hoursPerDay),
      this.#statements.dropDays.run(Math.floor(daysBefore / dayMs)),
    ];
    return drops.some(({ changes }) => Number(changes) > 0);
  }

  #dropUnsealed(hour: number): true {
    const first = hour * slotsPerHour;
    this.#statements.keepAllNewest.run({ hour });
    this.#statements.dropFindings.run(first, first + slotsPerHour - 1);
    this.#statements.dropResults.run(first, first + slotsPerHour - 1);
    this.#statements.dropUnsealed.run(hour);
    return true;
  }

  #trySeal(series: number, hour: number): boolean {
    this.#db.exec('SAVEPOINT hour');
    try {
      this.#seal(series, hour);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#db.exec('ROLLBACK TO hour');
      this.#damaged.note(series, hour, error);
    }
    this.#db.exec('RELEASE hour');
    return !this.#damaged.has(series, hour);
  }

  #seal(series: number, hour: number): void {
    const runs = this.#runs.hour(series, hour);
    // A new chunk would replace the damaged one and what may still be recovered from it.
    if (this.#damaged.has(series, hour)) return;
    const packed = packHour(hour, runs);
    this.#statements.saveChunk.run(hour, series, packed.chunk);
    this.#statements.saveHour.run(hour, series, packed.summary);
    this.#saveDay(series, hour);
    this.#statements.keepNewest.run({ series, hour });
    const slots = { first: hour * slotsPerHour, last: (hour + 1) * slotsPerHour - 1, series };
    this.#statements.removeFindings.run(slots);
    this.#statements.removeResults.run(slots);
    this.#statements.removeUnsealed.run(hour, series);
    this.#ledger.closeHour(series);
  }

  #saveDay(series: number, hour: number): void {
    const day = Math.floor(hour / hoursPerDay);
    const hours = Array.from({ length: hoursPerDay }, (_, index) =>
      this.#statements.hour.get(day * hoursPerDay + index, series),
    );
    const summaries = hours
      .filter((row) => row !== undefined)
      .map((row: Row) => unpackSummary(0, blobIn(row, 'summary')));
    this.#statements.saveDay.run(day, series, packSummary(mergeSummaries(0, summaries)));
    this.#statements.noteDay.run(day, series);
  }
}

/** @throws {PackingFault} when that cannot be done, which is a fault of this program and none of the disk */
function packHour(hour: number, runs: readonly Run[]): { readonly chunk: Buffer; readonly summary: Buffer } {
  try {
    return { chunk: packChunk(runs), summary: packSummary(summarizeRuns(hour * hourMs, runs)) };
  } catch (error) {
    throw new PackingFault(error);
  }
}

/** The newest result of a series stays among the results until its hour is deleted there. */
const keepNewest = `
  UPDATE latest SET (finding, numbers) = (
    SELECT f.text, r.numbers FROM results r JOIN findings f ON f.id = r.findingId
    WHERE r.slot = latest.at / ${slotMs} AND r.series = latest.series AND r.at = latest.at
      AND r.epochId = latest.epochId AND r.seq = latest.seq)
  WHERE at / ${hourMs} = :hour AND numbers IS NULL`;

function prepare(db: DatabaseSync) {
  // One seek for each slot, as in rows.ts.
  const slots =
    'WITH RECURSIVE slots (slot) AS (VALUES (:first) UNION ALL SELECT slot + 1 FROM slots WHERE slot < :last)';
  const ofSeries = 'slot IN (SELECT slot FROM slots) AND series = :series';
  return {
    due: db.prepare('SELECT hour, series FROM unsealed WHERE hour < ? ORDER BY hour, series LIMIT ?'),
    saveChunk: db.prepare('INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)'),
    hour: db.prepare('SELECT summary FROM hours WHERE hour = ? AND series = ?'),
    saveHour: db.prepare('INSERT OR REPLACE INTO hours VALUES (?, ?, ?)'),
    saveDay: db.prepare('INSERT OR REPLACE INTO days VALUES (?, ?, ?)'),
    noteDay: db.prepare('UPDATE series SET lastDay = max(lastDay, ?) WHERE id = ?'),
    keepNewest: db.prepare(`${keepNewest} AND series = :series`),
    keepAllNewest: db.prepare(keepNewest),
    removeFindings: db.prepare(
      `${slots} DELETE FROM findings WHERE id IN (SELECT findingId FROM results WHERE ${ofSeries})`,
    ),
    removeResults: db.prepare(`${slots} DELETE FROM results WHERE ${ofSeries}`),
    removeUnsealed: db.prepare('DELETE FROM unsealed WHERE hour = ? AND series = ?'),
    raiseHorizon: db.prepare('UPDATE horizon SET hour = max(hour, ?), decidedAt = ?'),
    oldestUnsealed: db.prepare('SELECT hour FROM unsealed WHERE hour < ? ORDER BY hour LIMIT 1'),
    dropFindings: db.prepare(
      'DELETE FROM findings WHERE id IN (SELECT findingId FROM results WHERE slot BETWEEN ? AND ?)',
    ),
    dropResults: db.prepare('DELETE FROM results WHERE slot BETWEEN ? AND ?'),
    dropUnsealed: db.prepare('DELETE FROM unsealed WHERE hour = ?'),
    dropChunks: db.prepare('DELETE FROM chunks WHERE hour < ? AND hour = (SELECT min(hour) FROM chunks)'),
    dropHours: db.prepare('DELETE FROM hours WHERE hour < ? AND hour = (SELECT min(hour) FROM hours)'),
    dropDays: db.prepare('DELETE FROM days WHERE day < ? AND day = (SELECT min(day) FROM days)'),
  };
}
