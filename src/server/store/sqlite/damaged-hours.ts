import type { DatabaseSync } from 'node:sqlite';
import { hourMs } from '../summary.ts';
import type { Notice } from './database.ts';

/** Hours of a series that cannot be read: each is said once and skipped from then on. Their bytes stay where they are. */
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
    this.#say({ event: 'damaged-hour', taskId, from: hour * hourMs, reason: damage.message });
  }
}
