import type { ServerEvent } from '../../core/event.ts';
import type { Bus } from './bus.ts';

/** The bus of a server that is one process. */
export class InProcessBus implements Bus {
  readonly #listeners = new Set<(event: ServerEvent) => void>();

  publish(event: ServerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
