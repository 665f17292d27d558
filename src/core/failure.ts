import { failed, type Measured, type Outcome, type Reason, type Source, type Status } from './outcome.ts';

interface FailureOptions extends Measured {
  readonly cause?: unknown;
  readonly as?: { readonly status?: Status; readonly source?: Source };
}

/**
 * The state of the world as a throwable: what `net` throws when a dial, a handshake or a lookup fails, and what a
 * check may throw to end its run. `defineCheck` turns it into an outcome; anything else thrown is a bug.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly reason: Reason;
  readonly #measured: FailureOptions;

  constructor(reason: Reason, message: string, options: FailureOptions = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.#measured = options;
  }

  /** The outcome of this failure; `before` is what the check had measured by then. */
  toOutcome(before: Measured = {}): Outcome {
    const { latencyMs = before.latencyMs, metrics, detail, as } = this.#measured;
    return failed(this.reason, this.message, {
      latencyMs,
      metrics: { ...before.metrics, ...metrics },
      detail: { ...before.detail, ...detail },
      ...(as && { as }),
    });
  }
}
