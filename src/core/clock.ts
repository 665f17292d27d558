/** Stops a timer; calling it again does nothing. */
export type Cancel = () => void;

/** The source of time for everything that is tested with a clock of its own. */
export interface Clock {
  /** Wall time, epoch milliseconds with fractions: for slots and timestamps. */
  now(): number;
  /** Milliseconds that never jump: for durations and latencies. */
  monotonic(): number;
  /** Calls back once, not before `delayMs` has passed, and never at once: with no delay, in the next turn of the event loop. */
  after(delayMs: number, callback: () => void): Cancel;
}

/** The time of a machine since its boot, also while it sleeps: neither a wall clock that is set nor a suspended machine hides any of it. */
export interface MachineTime {
  /** Names the boot: the time of another boot does not compare. */
  readonly boot: string;
  /** Milliseconds since that boot. */
  uptimeMs(): number;
}

export const systemClock: Clock = {
  // Not timeOrigin + performance.now(), which never follows a wall clock that is stepped; not Date.now(), which has no fractions.
  now: () => Number(Temporal.Now.instant().epochNanoseconds) / 1e6,
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    if (delayMs <= 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
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
 * Resolves after one more poll phase of the event loop. Timers run before I/O, so a late loop
 * would report an answer as missing although it is already in the socket.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
