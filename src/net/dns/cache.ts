import type { Clock } from '../../core/clock.ts';
import type { Lookup } from './lookup.ts';

const maxEntries = 10_000;

interface Shared {
  readonly lookup: Promise<Lookup>;
  readonly controller: AbortController;
  waiting: number;
}

interface Request {
  readonly signal: AbortSignal;
  readonly load: (signal: AbortSignal) => Promise<Lookup>;
}

/** Lookups by key for as long as their TTL says; who asks for what is already being looked up waits for the same answer. */
export class LookupCache {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly lookup: Lookup; readonly untilMs: number }>();
  readonly #running = new Map<string, Shared>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(key: string, { signal, load }: Request): Promise<Lookup> {
    signal.throwIfAborted();
    const kept = this.#kept.get(key);
    if (kept && kept.untilMs > this.#clock.monotonic()) return kept.lookup;
    return await this.#wait(key, this.#running.get(key) ?? this.#start(key, load), signal);
  }

  #start(key: string, load: Request['load']): Shared {
    const controller = new AbortController();
    const lookup = load(controller.signal);
    const shared = { lookup, controller, waiting: 0 };
    this.#running.set(key, shared);
    // Its failure is told to those who wait.
    lookup
      .then((found) => this.#keep(key, found))
      .finally(() => this.#forget(key, shared))
      .catch(() => {});
    return shared;
  }

  /** One who leaves does not stop the others; the last one who leaves stops the lookup. */
  async #wait(key: string, shared: Shared, signal: AbortSignal): Promise<Lookup> {
    shared.waiting++;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([shared.lookup, left]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (--shared.waiting === 0) {
        this.#forget(key, shared);
        shared.controller.abort();
      }
    }
  }

  #forget(key: string, shared: Shared): void {
    if (this.#running.get(key) === shared) this.#running.delete(key);
  }

  #keep(key: string, lookup: Lookup): void {
    this.#kept.delete(key);
    if (lookup.ttlMs <= 0) return;
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= maxEntries && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, { lookup, untilMs: this.#clock.monotonic() + lookup.ttlMs });
  }
}
