import type { DatabaseSync } from 'node:sqlite';
import { hourMs } from '../summary.ts';
import type { Notice } from './database.ts';

/** Results that are read well and cannot be packed. */
export class PackingFault extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause), { cause });
  }
}

/** Hours of a series that cannot be read or sealed: each is said once and skipped from then on. Their bytes stay where they are. */
export class DamagedHours {
  readonly #say: (notice: Notice) => void;
  readonly #taskOf;
  readonly #known = new Set<string>();

  constructor(db: DatabaseSync, say: (notice: Notice) => void) {
    this.#say = say;
    this.#taskOf = db.prepare('SELECT taskId FROM series WHERE id = ?');
  }

  get count(): number {
    return this.#known.size;
  }

  has(series: number, hour: number): boolean {
    return this.#known.has(`${series} ${hour}`);
  }

  note(series: number, hour: number, damage: Error): void {
    if (this.has(series, hour)) return;
    this.#known.add(`${series} ${hour}`);
    const taskId = String(this.#taskOf.get(series)?.['taskId']);
    const event = damage instanceof PackingFault ? 'unsealable-hour' : 'damaged-hour';
    this.#say({ event, taskId, from: hour * hourMs, reason: damage.message });
  }
}
