import { failed, reasonFacts, type Measured, type Outcome, type Reason, type Source, type Status } from './outcome.ts';

interface FailureOptions extends Measured {
  readonly cause?: unknown;
  readonly as?: { readonly status?: Status; readonly source?: Source };
}

type Evidence = Pick<Measured, 'detail' | 'metrics'> & { readonly message?: string; readonly cause?: unknown };

/**
 * A failure of the target or the network, as a throwable: thrown by `net` when a dial, a handshake or a lookup fails, and by a
 * check to end its run. `defineCheck` turns it into an outcome; anything else thrown is a bug.
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

  /** Whose fault it is. */
  get source(): Source {
    return this.#measured.as?.source ?? reasonFacts[this.reason].source;
  }

  /** The same failure with more evidence, and with another message or cause where one is given. */
  with({ message = this.message, cause = this.cause, detail, metrics }: Evidence): Failure {
    return new Failure(this.reason, message, {
      ...this.#measured,
      cause,
      detail: { ...this.#measured.detail, ...detail },
      metrics: { ...this.#measured.metrics, ...metrics },
    });
  }

  /** The same failure with another source. */
  withSource(source: Source, message: string): Failure {
    return new Failure(this.reason, message, {
      ...this.#measured,
      cause: this.cause,
      as: { ...this.#measured.as, source },
    });
  }

  /** The outcome of this failure; `before` is what the check had measured by then. */
  toOutcome(before: Measured = {}): Outcome {
    const { latencyMs = before.latencyMs, metrics, detail, as } = this.#measured;
    return failed(this.reason, this.message, {
      latencyMs,
      // A check that follows redirects has added up the times of all of them.
      metrics: { ...metrics, ...before.metrics },
      detail: { ...before.detail, ...detail },
      ...(as && { as }),
    });
  }
}

/**
 * The error for a wait whose signal aborts: at the deadline a timeout that says what was waited for, else the signal's
 * own reason. Its cause is the signal's reason, so that `defineCheck` prefers it to a bare deadline.
 */
export function abortError({ reason }: AbortSignal, doing: string): Error {
  return isDeadline(reason)
    ? new Failure('timeout', `${doing}: ${reason.message}`, { cause: reason })
    : (reason as Error);
}

/** True if the signal aborted because the run's time is over, false if the run was cancelled. */
export function isDeadline(reason: unknown): reason is DOMException {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}
