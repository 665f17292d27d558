import type { ServerEvent } from '../../core/event.ts';

/** Brings what happened to whoever watches now. */
export interface Bus {
  publish(event: ServerEvent): void;
  /** Calls back with each event from now on, in order; the returned function ends that. A listener must not throw. */
  subscribe(listener: (event: ServerEvent) => void): () => void;
}
