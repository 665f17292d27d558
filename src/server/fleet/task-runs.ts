import { randomUUIDv7 } from 'node:crypto';
import type { Cancel, Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { ServerMessage } from '../../protocol/messages.ts';

const answerLimitMs = 5000;

interface Asked {
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
  readonly cancelLimit: Cancel;
}

/** Runs asked for by a person: each is answered by its agent, or by the time it may take. */
export class TaskRuns {
  readonly #clock: Clock;
  readonly #asked = new Map<string, Asked>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the agent has begun. @throws {AppError} unavailable */
  ask(taskId: string, send: (message: ServerMessage) => void): Promise<void> {
    const requestId = randomUUIDv7();
    return new Promise((resolve, reject) => {
      const cancelLimit = this.#clock.after(answerLimitMs, () =>
        this.answer(requestId, `the agent did not answer within ${answerLimitMs} ms`),
      );
      this.#asked.set(requestId, { resolve, reject, cancelLimit });
      send({ type: 'run-now', requestId, taskId });
    });
  }

  /** What the agent says; `refusal` is why it did not begin. */
  answer(requestId: string, refusal: string | undefined): void {
    const asked = this.#asked.get(requestId);
    this.#asked.delete(requestId);
    asked?.cancelLimit();
    if (refusal === undefined) asked?.resolve();
    else asked?.reject(new AppError('unavailable', refusal));
  }
}
