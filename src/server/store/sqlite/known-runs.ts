import type { DatabaseSync } from 'node:sqlite';
import { hourMs } from '../summary.ts';
import { unpackChunk } from './chunk.ts';
import { isDamage } from './database.ts';
import { bytesIn } from './rows.ts';
import { slotMs } from './slots.ts';

/** Tells whether a run is stored. Its series and its slot name it, whatever number it came under. */
export class KnownRuns {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = {
      result: db.prepare('SELECT 1 FROM results WHERE slot = ? AND series = ? AND at = ?'),
      chunk: db.prepare('SELECT runs FROM chunks WHERE hour = ? AND series = ?'),
    };
  }

  /** `at` is the slot, whole epoch milliseconds. */
  has(series: number, at: number): boolean {
    if (this.#statements.result.get(Math.floor(at / slotMs), series, at)) return true;
    const chunk = this.#statements.chunk.get(Math.floor(at / hourMs), series);
    return chunk !== undefined && isIn(bytesIn(chunk, 'runs'), at);
  }
}

function isIn(chunk: Uint8Array, at: number): boolean {
  try {
    return unpackChunk(chunk).some((run) => run.at === at);
  } catch (error) {
    // What it held cannot be told.
    if (isDamage(error)) return true;
    throw error;
  }
}
