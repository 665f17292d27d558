import type { CheckContext } from '../../core/check.ts';
import { nextTurn, type Cancel } from '../../core/clock.ts';
import type { QueryAnswer, QueryChannel } from '../../core/network.ts';
import { Trace, type Hop, type TraceLimits } from './trace.ts';

export interface WalkLimits extends TraceLimits {
  readonly parallel: number;
  /** How long a query may take, in milliseconds. */
  readonly wait: number;
}

interface WalkContext extends Pick<CheckContext, 'clock' | 'signal'> {
  readonly onHop: (hop: Hop) => void;
}

/** Carries a trace out: keeps a bounded number of queries on their way and gives up those that stay silent. */
export class Walk {
  readonly trace: Trace;
  readonly #channel: QueryChannel;
  readonly #limits: WalkLimits;
  readonly #context: WalkContext;
  readonly #waiting = new Map<number, Cancel>();
  readonly #done = Promise.withResolvers<void>();

  constructor(channel: QueryChannel, limits: WalkLimits, context: WalkContext) {
    this.trace = new Trace(channel.address.ip, limits);
    this.#channel = channel;
    this.#limits = limits;
    this.#context = context;
  }

  /** Resolves when every hop up to the end of the path is settled. @throws {Failure} when a query cannot be sent */
  async toTheEnd(): Promise<void> {
    const { signal } = this.#context;
    const onAbort = (): void => this.#done.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#ask();
      await this.#done.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      for (const cancel of this.#waiting.values()) cancel();
      this.#waiting.clear();
    }
  }

  hear(answer: QueryAnswer): void {
    if (answer.kind === 'unsent') return this.#done.reject(answer.error);
    // By the time of the kernel: this process may be late as well.
    if (answer.rttMs <= this.#limits.wait) this.trace.hear(answer);
    else this.trace.giveUp(answer.sequence);
    if (this.trace.isSettled(answer.sequence)) this.#settle(answer.sequence);
  }

  #ask(): void {
    while (this.#waiting.size < this.#limits.parallel) {
      const query = this.trace.next();
      if (!query) return;
      this.#channel.send(query.sequence, query.ttl);
      const giveUp = (): void => void this.#giveUp(query.sequence);
      this.#waiting.set(query.sequence, this.#context.clock.after(this.#limits.wait, giveUp));
    }
  }

  async #giveUp(sequence: number): Promise<void> {
    await nextTurn();
    if (!this.#waiting.has(sequence)) return;
    this.trace.giveUp(sequence);
    this.#settle(sequence);
  }

  #settle(sequence: number): void {
    this.#waiting.get(sequence)?.();
    this.#waiting.delete(sequence);
    for (const hop of this.trace.takeSettled()) this.#context.onHop(hop);
    if (this.trace.isComplete) return this.#done.resolve();
    this.#ask();
  }
}
