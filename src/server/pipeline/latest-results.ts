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
    else if (isOlder({ result: latest.result, place }, known)) return false;
    // In place: with tens of thousands of tasks, finding one again is what costs.
    else Object.assign(known, latest, { place });
    return true;
  }

  get(taskId: string): LatestResult | undefined {
    return this.#byTask.get(taskId);
  }
}

/** By the agent's own numbers where they can tell: its clock may have been set back since. Else by slot. */
function isOlder({ result, place }: Pick<Known, 'result' | 'place'>, known: Known): boolean {
  if (place && place.epoch === known.place?.epoch) return place.seq < known.place.seq;
  return result.scheduledAt < known.result.scheduledAt;
}
