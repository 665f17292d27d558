import type { Milliseconds } from '../core/duration.ts';

/** Aborts at the first Ctrl-C, or when the process is told to end; the second ends it as usual. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new DOMException('Interrupted.', 'AbortError'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  return controller.signal;
}

/** Aborts after this time too, if one is given. */
export function interruptionWithin(durationMs: Milliseconds | undefined): AbortSignal {
  return durationMs === undefined ? interruption() : AbortSignal.any([interruption(), AbortSignal.timeout(durationMs)]);
}

/** Resolves at the first Ctrl-C, or when the process is told to end. */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => interruption().addEventListener('abort', () => resolve(), { once: true }));
}

/** Aborts when standard input ends, which is when the process that holds its other end ends. */
export function endOfInput(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new DOMException('Standard input ended.', 'AbortError'));
  process.stdin.once('end', stop).once('error', stop).resume();
  return controller.signal;
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
