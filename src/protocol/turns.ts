const waiting: (() => void)[] = [];

/**
 * Resolves when it is the caller's turn: one a turn of the event loop. Without it all frames that fifty agents sent at once
 * would be read before any timer, and before anybody else is answered.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(next);
  });
}

function next(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(next);
}
