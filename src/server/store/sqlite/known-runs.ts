import type { DatabaseSync } from 'node:sqlite';
import { hourMs } from '../summary.ts';
import { unpackChunk } from './chunk.ts';
import { isDamage } from './database.ts';
import { blobIn, runIn } from './rows.ts';
import type { Run } from './run.ts';
import { slotMs } from './slots.ts';

/** Sealing keeps durations to within this share of their median; see column.ts. */
const sealedLoss = 0.02;

/** A run as an agent told it. */
export interface ToldRun extends Pick<Run, 'at' | 'finding'> {
  readonly numbers: Float64Array<ArrayBuffer>;
}

/**
 * Tells whether a run is stored, whatever number it came under. A slot alone does not name it: a clock that was set back brings the
 * slot again, and another run of it.
 */
export class KnownRuns {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = {
      results: db.prepare(`
        SELECT r.at, r.numbers, f.text AS finding FROM results r JOIN findings f ON f.id = r.findingId
        WHERE r.slot = ? AND r.series = ? AND r.at = ?`),
      chunk: db.prepare('SELECT runs FROM chunks WHERE hour = ? AND series = ?'),
    };
  }

  /** `ifDamaged`: what is said where the hour can no longer be read. */
  has(series: number, run: ToldRun, ifDamaged: boolean): boolean {
    const rows = this.#statements.results.all(Math.floor(run.at / slotMs), series, run.at);
    if (rows.some((row) => isSame(runIn(row), run, 0))) return true;
    const chunk = this.#statements.chunk.get(Math.floor(run.at / hourMs), series);
    if (chunk === undefined) return false;
    try {
      return isIn(unpackChunk(blobIn(chunk, 'runs')), run);
    } catch (error) {
      if (isDamage(error)) return ifDamaged;
      throw error;
    }
  }
}

function isIn(sealed: readonly Run[], run: ToldRun): boolean {
  const lossMs = sealedLoss * median(sealed.map(({ numbers: [, durationMs = 0] }) => durationMs));
  return sealed.some((stored) => isSame(stored, run, lossMs));
}

/**
 * Runs of one slot differ in when they started and how long they took, to within what sealing loses. A missed one has neither, but
 * says how many slots it stands for.
 */
function isSame(stored: Run, told: ToldRun, lossMs: number): boolean {
  if (stored.at !== told.at) return false;
  const [[storedLateMs = 0, storedMs = 0], [lateMs = 0, durationMs = 0]] = [stored.numbers, told.numbers];
  const isSameRun = Math.abs(storedLateMs - lateMs) <= 1 && Math.abs(storedMs - durationMs) <= lossMs;
  return isSameRun && (durationMs !== 0 || stored.finding === told.finding);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
