/** Holds the event loop up: nothing else of this thread happens meanwhile. */
export function block(durationMs: number): void {
  const until = performance.now() + durationMs;
  while (performance.now() < until);
}

/** Holds the event loop up again and again, so long in each of its turns, until disposed. */
export function busyLoop(turnMs: number): Disposable {
  const timer = setInterval(() => block(turnMs), 1);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
