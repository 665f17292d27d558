import type { Clock } from './clock.ts';

const maxEntries = 10_000;

interface Expiring {
  /** How long it may be kept; 0 not at all. */
  readonly ttlMs: number;
}

interface Shared<Value> {
  readonly value: Promise<Value>;
  readonly controller: AbortController;
  waiting: number;
}

interface Wanted<Value> {
  readonly signal: AbortSignal;
  /** Its signal aborts when nobody waits any more. */
  readonly load: (signal: AbortSignal) => Promise<Value>;
}

/** Values by key for as long as their TTL says. Whoever asks for one that is being loaded waits for the same one. */
export class TtlCache<Value extends Expiring> {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly value: Value; readonly untilMs: number }>();
  readonly #loading = new Map<string, Shared<Value>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws what `load` throws; or the signal's reason */
  async get(key: string, { signal, load }: Wanted<Value>): Promise<Value> {
    signal.throwIfAborted();
    const kept = this.#kept.get(key);
    if (kept && kept.untilMs > this.#clock.monotonic()) return kept.value;
    return await this.#wait(key, this.#loading.get(key) ?? this.#start(key, load), signal);
  }

  /** The next one who asks loads it anew. */
  forget(key: string): void {
    this.#kept.delete(key);
  }

  #start(key: string, load: Wanted<Value>['load']): Shared<Value> {
    const controller = new AbortController();
    const value = load(controller.signal);
    const shared = { value, controller, waiting: 0 };
    this.#loading.set(key, shared);
    // Its failure is told to those who wait.
    value
      .then((loaded) => this.#keep(key, loaded))
      .finally(() => this.#end(key, shared))
      .catch(() => {});
    return shared;
  }

  /** One who leaves does not stop the others; the last one who leaves stops the loading. */
  async #wait(key: string, shared: Shared<Value>, signal: AbortSignal): Promise<Value> {
    shared.waiting++;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([shared.value, left]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (--shared.waiting === 0) {
        this.#end(key, shared);
        shared.controller.abort();
      }
    }
  }

  #end(key: string, shared: Shared<Value>): void {
    if (this.#loading.get(key) === shared) this.#loading.delete(key);
  }

  #keep(key: string, value: Value): void {
    this.#kept.delete(key);
    if (value.ttlMs <= 0) return;
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= maxEntries && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, { value, untilMs: this.#clock.monotonic() + value.ttlMs });
  }
}
