import type { Clock } from '../../core/clock.ts';
import { formatDuration, type Milliseconds } from '../../core/duration.ts';

export interface Deadline {
  readonly clock: Clock;
  readonly timeoutMs: Milliseconds;
  /** Of the whole run: when it aborts, the work does too, for the same reason. */
  readonly signal: AbortSignal;
}

/** The reason of a signal whose work has ended. */
const ended = new DOMException('The work has ended.', 'AbortError');

/** Runs work with a signal that also aborts when its own time is over (`TimeoutError`), and when the work has ended, to stop the rest of it. */
export async function withDeadline<T>(
  { clock, timeoutMs, signal }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const cancel = clock.after(timeoutMs, () =>
    controller.abort(new DOMException(`No answer within ${formatDuration(timeoutMs)}.`, 'TimeoutError')),
  );
  try {
    return await work(controller.signal);
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
    controller.abort(ended);
  }
}
