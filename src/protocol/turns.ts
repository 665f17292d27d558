const waiting: (() => void)[] = [];

/**
 * Resolves for one caller per turn of the event loop. Without it, all frames that fifty agents send at once
 * would be handled before any timer or other request.
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
