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

interface RunPorts {
  readonly clock: Clock;
  /** The connection of an agent; undefined while it has none. */
  session(agentId: string): { send(message: ServerMessage): void } | undefined;
}

/** Runs asked for by a person: each is answered by its agent, or by the time it may take. */
export class TaskRuns {
  readonly #ports: RunPorts;
  readonly #asked = new Map<string, Asked>();

  constructor(ports: RunPorts) {
    this.#ports = ports;
  }

  /** Runs a task once. Resolves when the agent has begun. @throws {AppError} unavailable */
  async run(agentId: string, taskId: string): Promise<void> {
    const session = this.#ports.session(agentId);
    if (!session) throw new AppError('unavailable', 'the agent is not connected');
    const requestId = randomUUIDv7();
    await new Promise<void>((resolve, reject) => {
      const cancelLimit = this.#ports.clock.after(answerLimitMs, () =>
        this.answer(requestId, `the agent did not answer within ${answerLimitMs} ms`),
      );
      this.#asked.set(requestId, { resolve, reject, cancelLimit });
      session.send({ type: 'run-now', requestId, taskId });
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
