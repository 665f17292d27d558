import { randomUUIDv7 } from 'node:crypto';
import type { Cancel, Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/duration.ts';
import type { ResultItem } from '../../core/entry.ts';
import { AppError } from '../../core/errors.ts';
import type { RunAnswer } from '../../core/task.ts';
import type { ServerMessage } from '../../protocol/messages.ts';

interface RunPorts {
  readonly clock: Clock;
  /** The connection of an agent; undefined while it has none. */
  session(agentId: string): { send(message: ServerMessage): void } | undefined;
}

interface RunRequest {
  readonly agentId: string;
  readonly taskId: string;
  /** How long to wait for the result once the run has begun. */
  readonly waitMs: Milliseconds;
}

const answerLimitMs = 5000;

/** Runs that people ask for: each is answered by its agent, or by the time it may take. */
export class TaskRuns {
  readonly #ports: RunPorts;
  readonly #asked = new Map<string, (answer: RunAnswer) => void>();
  /** By task and time. */
  readonly #awaited = new Map<string, (result: ResultItem) => void>();

  constructor(ports: RunPorts) {
    this.#ports = ports;
  }

  /**
   * Runs a task once, now. Resolves when the agent has begun, or with the result where one is waited for; undefined if
   * it did not come in time. @throws {AppError} unavailable
   */
  async run({ agentId, taskId, waitMs }: RunRequest): Promise<ResultItem | undefined> {
    const session = this.#ports.session(agentId);
    if (!session) throw new AppError('unavailable', 'the agent is not connected');
    return await new Promise<ResultItem | undefined>((resolve, reject) => {
      const begun = (answer: RunAnswer): void => {
        if ('refusal' in answer) reject(new AppError('unavailable', answer.refusal));
        else if (waitMs === 0) resolve(undefined);
        // From this very moment: the result may be in the next frame.
        else this.#await(`${taskId} ${answer.scheduledAt}`, waitMs, resolve);
      };
      session.send({ type: 'run-now', requestId: this.#ask(begun), taskId });
    });
  }

  /** The agent has answered. */
  answer(requestId: string, answer: RunAnswer): void {
    this.#asked.get(requestId)?.(answer);
  }

  /** A result has been committed. */
  noteResult(result: ResultItem): void {
    if (this.#awaited.size > 0) this.#awaited.get(`${result.taskId} ${result.scheduledAt}`)?.(result);
  }

  #ask(onAnswer: (answer: RunAnswer) => void): string {
    const requestId = randomUUIDv7();
    const take = (answer: RunAnswer): void => {
      this.#asked.delete(requestId);
      cancelLimit();
      onAnswer(answer);
    };
    const refusal = `the agent did not answer within ${answerLimitMs} ms`;
    const cancelLimit: Cancel = this.#ports.clock.after(answerLimitMs, () => take({ refusal }));
    this.#asked.set(requestId, take);
    return requestId;
  }

  #await(run: string, limitMs: Milliseconds, onEnd: (result: ResultItem | undefined) => void): void {
    const end = (result?: ResultItem): void => {
      this.#awaited.delete(run);
      cancelLimit();
      onEnd(result);
    };
    const cancelLimit: Cancel = this.#ports.clock.after(limitMs, () => end());
    this.#awaited.set(run, end);
  }
}
