import type { ResultItem } from '../../core/entry.ts';

export interface LatestResult {
  readonly agentId: string;
  readonly result: ResultItem;
}

/** The newest result of every task, by the slot it was due in: what came late completes the history and changes nothing here. */
export class LatestResults {
  readonly #byTask = new Map<string, { agentId: string; result: ResultItem }>();

  /** True if this is now the task's newest. */
  take(agentId: string, result: ResultItem): boolean {
    const known = this.#byTask.get(result.taskId);
    if (!known) this.#byTask.set(result.taskId, { agentId, result });
    else if (known.result.scheduledAt > result.scheduledAt) return false;
    // In place: with tens of thousands of tasks, finding one again is what costs.
    else Object.assign(known, { agentId, result });
    return true;
  }

  get(taskId: string): LatestResult | undefined {
    return this.#byTask.get(taskId);
  }

  all(): readonly LatestResult[] {
    return [...this.#byTask.values()];
  }
}
