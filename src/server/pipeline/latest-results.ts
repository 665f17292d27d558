import type { Clock } from '../../core/clock.ts';
import type { ReceivedResult } from '../../core/entry.ts';

export interface LatestResult {
  readonly agentId: string;
  readonly result: ReceivedResult;
  /** By this server's clock, epoch milliseconds. */
  readonly receivedAt: number;
  /** When the run ended, by this server's monotonic clock and as far as the clocks tell; never later than it came. */
  readonly measuredMs: number;
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
  load(stored: readonly StoredLatest[], clock: Pick<Clock, 'now' | 'monotonic'>): void {
    for (const { agentId, ...result } of stored) {
      const receivedAt = result.receivedAt ?? result.startedAt + result.durationMs;
      const ageMs = Math.max(0, clock.now() - receivedAt) + latenessOf(result);
      this.take({ agentId, result, receivedAt, measuredMs: clock.monotonic() - ageMs });
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

/** How long ago the run ended when its result came, by the server's clock: what waited for a connection says nothing of now. */
export function latenessOf({ startedAt, durationMs, receivedAt, clockOffsetMs = 0 }: ReceivedResult): number {
  return receivedAt === undefined ? 0 : Math.max(0, receivedAt - (startedAt + durationMs - clockOffsetMs));
}
