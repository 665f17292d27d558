/** Stops a timer; calling it again does nothing. */
export type Cancel = () => void;

/** Every piece that must be right takes its time from here, so that tests can own it. */
export interface Clock {
  /** Wall time, epoch milliseconds with fractions: for slots and timestamps. */
  now(): number;
  /** Milliseconds that never jump: for durations and latencies. */
  monotonic(): number;
  /** Calls back once, not before `delayMs` has passed. */
  after(delayMs: number, callback: () => void): Cancel;
}

export const systemClock: Clock = {
  // Not timeOrigin + performance.now(), which never follows a wall clock that is stepped; not Date.now(), which has no fractions.
  now: () => Number(Temporal.Now.instant().epochNanoseconds) / 1e6,
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`; rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      cancel();
      reject(signal.reason as Error);
    };
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Resolves when the event loop has read its sockets once more. In each turn timers come first, so that a loop that runs
 * late would else call an answer missing that is already there.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
