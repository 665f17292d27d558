import type { DatabaseSync } from 'node:sqlite';

/** A run, and where its agent said it. */
export interface KeptRun {
  readonly series: number;
  readonly epochId: number;
  readonly seq: number;
  /** The slot, whole epoch milliseconds. */
  readonly at: number;
}

interface Place {
  epochId: number;
  seq: number;
}

/** Series remembered at a time; the others are asked for. */
const maxSeries = 100_000;

/**
 * Decides which result of a series is the newest, and stores it: that of the later epoch, in the order in which the epochs were
 * first met, and in it that of the higher number. Clocks have no say. Its memory only saves queries.
 */
export class NewestRuns {
  readonly #places = new Map<number, Place>();
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = {
      place: db.prepare('SELECT epochId, seq FROM latest WHERE series = ?'),
      add: db.prepare('INSERT INTO latest (epochId, seq, at, series) VALUES (?, ?, ?, ?)'),
      // Faster than replacing the row, and it happens for nearly every result.
      change: db.prepare(
        'UPDATE latest SET epochId = ?, seq = ?, at = ?, finding = NULL, numbers = NULL WHERE series = ?',
      ),
    };
  }

  /** True if this is now the newest. */
  note({ series, epochId, seq, at }: KeptRun): boolean {
    const newest = this.#places.get(series) ?? this.#stored(series);
    if (newest && (epochId < newest.epochId || (epochId === newest.epochId && seq < newest.seq))) return false;
    const statement = newest ? this.#statements.change : this.#statements.add;
    statement.run(epochId, seq, at, series);
    const place = newest ?? this.#remember(series, { epochId, seq });
    place.epochId = epochId;
    place.seq = seq;
    return true;
  }

  forget(): void {
    this.#places.clear();
  }

  #stored(series: number): Place | undefined {
    const row = this.#statements.place.get(series);
    return row && this.#remember(series, { epochId: Number(row['epochId']), seq: Number(row['seq']) });
  }

  #remember(series: number, place: Place): Place {
    if (this.#places.size >= maxSeries) this.#places.clear();
    this.#places.set(series, place);
    return place;
  }
}
