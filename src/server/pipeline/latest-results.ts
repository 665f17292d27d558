import type { ResultItem } from '../../core/entry.ts';

export interface LatestResult {
  readonly agentId: string;
  readonly result: ResultItem;
}

/** Where the agent said it. */
export interface Place {
  readonly epoch: string;
  readonly seq: number;
}

interface Known {
  agentId: string;
  result: ResultItem;
  place: Place | undefined;
}

/** The newest result of every task: what came late completes the history and changes nothing here. */
export class LatestResults {
  readonly #byTask = new Map<string, Known>();

  /** True if this is now the task's newest. Without a place it is the store's word, from before this server started. */
  take(agentId: string, result: ResultItem, place?: Place): boolean {
    const known = this.#byTask.get(result.taskId);
    if (!known) this.#byTask.set(result.taskId, { agentId, result, place });
    else if (isOlder({ result, place }, known)) return false;
    // In place: with tens of thousands of tasks, finding one again is what costs.
    else Object.assign(known, { agentId, result, place });
    return true;
  }

  get(taskId: string): LatestResult | undefined {
    return this.#byTask.get(taskId);
  }

  all(): readonly LatestResult[] {
    return [...this.#byTask.values()];
  }
}

/** By the agent's own numbers where they can tell: its clock may have been set back since. Else by slot. */
function isOlder({ result, place }: Pick<Known, 'result' | 'place'>, known: Known): boolean {
  if (place && place.epoch === known.place?.epoch) return place.seq < known.place.seq;
  return result.scheduledAt < known.result.scheduledAt;
}
