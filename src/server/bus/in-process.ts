import type { ServerEvent } from '../../core/event.ts';
import type { Bus } from './bus.ts';

/** The bus of a server that is one process. */
export class InProcessBus implements Bus {
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  readonly #waiting: ServerEvent[] = [];

  /** An event that a listener publishes comes after the one that it was called with, for every listener. */
  publish(event: ServerEvent): void {
    if (this.#waiting.push(event) > 1) return;
    // The list grows while it is gone through.
    for (const next of this.#waiting) for (const listener of this.#listeners) listener(next);
    this.#waiting.length = 0;
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
