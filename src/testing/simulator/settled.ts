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

/** Turns of the event loop that are asked for at once: each drains what is promised, and only the last costs a round of the loop. */
const turnsAtOnce = 16;

/** Calls `step` again and again until it returns false, each time when no promise has anything to do and no counted immediate waits. */
export function eachSettled(step: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    let isOver = false;
    const turn = (): void => {
      if (isOver || pending > 0 || step()) return;
      isOver = true;
      resolve();
    };
    const round = (): void => {
      if (isOver) return;
      for (let count = 1; count < turnsAtOnce; count++) realSetImmediate(turn);
      realSetImmediate(() => {
        turn();
        round();
      });
    };
    round();
  });
}
