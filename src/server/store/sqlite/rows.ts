import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { hourMs } from '../summary.ts';
import { unpackChunk } from './chunk.ts';
import type { DamagedHours } from './damaged-hours.ts';
import { isDamage } from './database.ts';
import { slotsPerHour } from './slots.ts';
import type { Run } from './run.ts';

export type Row = ReturnType<StatementSync['all']>[number];

/** Reads the runs of one series, an hour at a time, wherever they are. */
export class RunReader {
  readonly #damaged: DamagedHours;
  readonly #statements;

  constructor(db: DatabaseSync, damaged: DamagedHours) {
    this.#damaged = damaged;
    this.#statements = prepare(db);
  }

  /** All runs of the hour by slot, sealed or not; without the sealed ones if they are damaged. */
  hour(series: number, hour: number): readonly Run[] {
    const sealed = this.sealed(series, hour);
    if (this.#statements.isUnsealed.get(hour, series) === undefined) return sealed;
    const recent = this.unsealed(series, hour);
    // toSorted is stable: runs of the same slot stay in the order in which they were sealed.
    return sealed.length === 0 ? recent : [...sealed, ...recent].toSorted((a, b) => a.at - b.at);
  }

  sealed(series: number, hour: number): readonly Run[] {
    const row = this.#statements.chunk.get(hour, series);
    if (row === undefined) return [];
    try {
      return unpackChunk(blobIn(row, 'runs'));
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#damaged.note(series, hour, error);
      return [];
    }
  }

  unsealed(series: number, hour: number): readonly Run[] {
    const first = hour * slotsPerHour;
    return this.#statements.unsealed.all({ first, last: first + slotsPerHour - 1, series }).map(runIn);
  }

  /** The last slot in [from, to) in which the series has a run. */
  lastSlot(series: number, { from, to }: { readonly from: number; readonly to: number }): number | undefined {
    for (let hour = hourOf(to); hour >= hourOf(from); hour--) {
      const last = this.hour(series, hour).findLast(({ at }) => at >= from && at < to);
      if (last) return last.at;
    }
    return undefined;
  }

  /** The first hour from this one on that any series has runs in: a time far off must cost no walk through the empty hours before it. */
  nextHour(hour: number): number | undefined {
    const next = this.#statements.nextHour.get({ hour })?.['hour'];
    return typeof next === 'number' ? next : undefined;
  }
}

export function runIn(row: Row): Run {
  return { at: Number(row['at']), finding: String(row['finding']), numbers: numbersOf(blobIn(row, 'numbers')) };
}

function numbersOf(bytes: Uint8Array): number[] {
  // SQLite's bytes may begin anywhere; a Float64Array must not.
  return [...new Float64Array(Uint8Array.from(bytes).buffer)];
}

export function blobIn(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`Expected bytes in column ${column}, got ${typeof value}.`);
}

export function hourOf(at: number): number {
  return Math.floor(at / hourMs);
}

function prepare(db: DatabaseSync) {
  const columns = 'r.at, r.numbers, f.text AS finding FROM results r JOIN findings f ON f.id = r.findingId';
  return {
    chunk: db.prepare('SELECT runs FROM chunks WHERE hour = ? AND series = ?'),
    isUnsealed: db.prepare('SELECT 1 FROM unsealed WHERE hour = ? AND series = ?'),
    // One seek for each slot; a plain range of slots would read every other task's rows too.
    unsealed: db.prepare(`
      WITH RECURSIVE slots (slot) AS (VALUES (:first) UNION ALL SELECT slot + 1 FROM slots WHERE slot < :last)
      SELECT ${columns.replace('results r', 'slots CROSS JOIN results r')}
      WHERE r.slot = slots.slot AND r.series = :series ORDER BY r.at, r.epochId, r.seq`),
    nextHour: db.prepare(`
      SELECT min(hour) AS hour FROM (
        SELECT min(hour) AS hour FROM chunks WHERE hour >= :hour
        UNION ALL SELECT min(hour) FROM unsealed WHERE hour >= :hour)`),
  };
}
