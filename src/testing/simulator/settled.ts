const realSetImmediate = globalThis.setImmediate;
const realClearImmediate = globalThis.clearImmediate;
let pending = 0;

type Callback = (...args: unknown[]) => void;

/** Counts the immediates that wait, so that `settled` knows when nothing runs any more. Disposing ends that. */
export function countImmediates(): Disposable {
  const waiting = new Set<NodeJS.Immediate>();
  const counting = (callback: Callback, ...args: unknown[]): NodeJS.Immediate => {
    const immediate = realSetImmediate(() => {
      waiting.delete(immediate);
      pending--;
      callback(...args);
    });
    waiting.add(immediate);
    pending++;
    return immediate;
  };
  // The promise form is not used by what is simulated.
  globalThis.setImmediate = counting as typeof setImmediate;
  globalThis.clearImmediate = (immediate) => {
    if (immediate && waiting.delete(immediate)) pending--;
    realClearImmediate(immediate);
  };
  return {
    [Symbol.dispose]() {
      globalThis.setImmediate = realSetImmediate;
      globalThis.clearImmediate = realClearImmediate;
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => realSetImmediate(resolve));
}

function isBusy(): boolean {
  return pending > 0;
}

/** Resolves when no promise has anything to do and no counted immediate waits. */
export async function settled(): Promise<void> {
  await turn();
  while (isBusy()) await turn();
}
