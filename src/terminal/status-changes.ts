import type { Result } from '../core/monitor.ts';
import type { Status } from '../core/outcome.ts';

/** Remembers the status of each monitor, so that a result that changes it can be marked. */
export class StatusChanges {
  readonly #last = new Map<string, Status>();

  /** The status before this result; undefined if it is the same, or the monitor's first. */
  before({ monitor, status }: Pick<Result, 'monitor' | 'status'>): Status | undefined {
    const last = this.#last.get(monitor.id);
    this.#last.set(monitor.id, status);
    return last === status ? undefined : last;
  }
}
