import type { ResultItem } from '../../core/entry.ts';

export interface LatestResult {
  readonly agentId: string;
  readonly result: ResultItem;
  /** By this server's clock, epoch milliseconds. */
  readonly receivedAt: number;
  /** By this server's monotonic clock; undefined if it came before this server started. */
  readonly heardMs: number | undefined;
}

/** Where the agent said it. */
export interface Place {
  readonly epoch: string;
  readonly seq: number;
}

interface StoredLatest extends ResultItem {
  readonly agentId: string;
  readonly place?: Place;
}

interface Known {
  agentId: string;
  result: ResultItem;
  receivedAt: number;
  heardMs: number | undefined;
  place: Place | undefined;
}

/** The newest result of every task: what came late completes the history and changes nothing here. */
export class LatestResults {
  readonly #byTask = new Map<string, Known>();

  /** True if this is now the task's newest. Without a place it is the store's word, from before this server started. */
  take(latest: LatestResult, place?: Place): boolean {
    const { taskId } = latest.result;
    const known = this.#byTask.get(taskId);
    if (!known) this.#byTask.set(taskId, { ...latest, place });
    else if (isOlder({ place }, known)) return false;
    // In place: with tens of thousands of tasks, finding one again is what costs.
    else Object.assign(known, latest, { place });
    return true;
  }

  /** What the store has from before this server started. */
  load(stored: readonly StoredLatest[]): void {
    for (const { agentId, place, ...result } of stored) {
      const receivedAt = result.startedAt + result.durationMs;
      this.take({ agentId, result, receivedAt, heardMs: undefined }, place);
    }
  }

  /** There are no such tasks any more. */
  forget(taskIds: readonly string[]): void {
    for (const taskId of taskIds) this.#byTask.delete(taskId);
  }

  get(taskId: string): LatestResult | undefined {
    return this.#byTask.get(taskId);
  }
}

/**
 * By where the agent said it, never by its clock, which may have been set since: the later epoch, then the higher number. What is
 * committed now in another epoch than the one known is of a later one; what the store knew at the start came before.
 */
function isOlder({ place }: Pick<Known, 'place'>, known: Known): boolean {
  if (!place || !known.place || place.epoch !== known.place.epoch) return false;
  return place.seq < known.place.seq;
}
