import type { ReceivedResult } from '../../core/entry.ts';

export interface LatestResult {
  readonly agentId: string;
  readonly result: ReceivedResult;
  /** By this server's clock, epoch milliseconds. */
  readonly receivedAt: number;
  /** By this server's monotonic clock; undefined if it came before this server started. */
  readonly heardMs: number | undefined;
}

interface StoredLatest extends ReceivedResult {
  readonly agentId: string;
}

/** The newest result of every task, as the store decided when it committed it. */
export class LatestResults {
  readonly #byTask = new Map<string, { -readonly [Key in keyof LatestResult]: LatestResult[Key] }>();

  take(latest: LatestResult): void {
    const known = this.#byTask.get(latest.result.taskId);
    // In place: with tens of thousands of tasks, finding one again is what costs.
    if (known) Object.assign(known, latest);
    else this.#byTask.set(latest.result.taskId, { ...latest });
  }

  /** What the store has from before this server started. */
  load(stored: readonly StoredLatest[]): void {
    for (const { agentId, ...result } of stored) {
      const receivedAt = result.receivedAt ?? result.startedAt + result.durationMs;
      this.take({ agentId, result, receivedAt, heardMs: undefined });
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
