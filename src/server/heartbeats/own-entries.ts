import type { Entry, ResultItem, SeqRange } from '../../core/entry.ts';
import { AppError } from '../../core/errors.ts';

export interface OwnEntriesPorts {
  /** Sequence numbers of this server's own entries that are kept. */
  received(): Promise<readonly SeqRange[]>;
  /** Keeps entries as those of an agent are kept. */
  commit(entries: readonly Entry[]): Promise<void>;
}

/** What may wait while the store takes nothing. */
const maxWaiting = 10_000;

/** Results that this server makes itself: numbered without a gap, as those of an agent, and kept in that order. */
export class OwnEntries {
  readonly #ports: OwnEntriesPorts;
  #next = 1;
  #waiting: readonly Entry[] = [];
  #committing: Promise<void> | undefined;

  constructor(ports: OwnEntriesPorts) {
    this.#ports = ports;
  }

  /** Goes on where the store has got to. */
  async load(): Promise<void> {
    const ranges = await this.#ports.received();
    this.#next = (ranges.at(-1)?.[1] ?? 0) + 1;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when the result is kept. Where it rejects, the result waits and is kept with the next one. @throws {AppError} unavailable */
  async add(item: ResultItem): Promise<void> {
    if (this.#waiting.length >= maxWaiting) throw new AppError('unavailable', 'too many results wait for the store');
    const seq = this.#next++;
    this.#waiting = [...this.#waiting, { seq, item }];
    while (this.#waiting.some((entry) => entry.seq === seq)) await this.#commit();
  }

  /** One commit at a time, each of all that waits. */
  async #commit(): Promise<void> {
    this.#committing ??= this.#commitWaiting().finally(() => (this.#committing = undefined));
    await this.#committing;
  }

  async #commitWaiting(): Promise<void> {
    const entries = this.#waiting;
    await this.#ports.commit(entries);
    this.#waiting = this.#waiting.slice(entries.length);
  }
}
