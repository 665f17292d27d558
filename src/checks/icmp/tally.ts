import type { QueryAnswer } from '../../core/network.ts';
import { measureRoundTrips } from '../../core/round-trips.ts';

type Reply = Extract<QueryAnswer, { kind: 'reply' }>;
export type Failed = Exclude<QueryAnswer, Reply>;

/** Counts one run of echoes and works out its figures. */
export class EchoTally {
  readonly #roundTripsMs: number[] = [];
  readonly #settled = new Set<number>();
  #sent = 0;
  #highest = -1;
  #reordered = 0;
  #duplicates = 0;
  #ttl: number | undefined;
  #failed: Failed | undefined;

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return this.#roundTripsMs.length;
  }

  /** What went wrong last, if a packet met an error. */
  get failed(): Failed | undefined {
    return this.#failed;
  }

  /** True when nothing that was sent is still waited for. */
  get isSettled(): boolean {
    return this.#settled.size === this.#sent;
  }

  countSent(): void {
    this.#sent++;
  }

  countAnswer(answer: QueryAnswer): void {
    this.#settled.add(answer.sequence);
    if (answer.kind !== 'reply') this.#failed = answer;
    else if (answer.duplicate) this.#duplicates++;
    else this.#countReply(answer);
  }

  #countReply({ sequence, rttMs, ttl }: Reply): void {
    this.#roundTripsMs.push(rttMs);
    this.#ttl = ttl ?? this.#ttl;
    // Late, in the sense of RFC 4737: a packet sent after it has already come back.
    if (sequence < this.#highest) this.#reordered++;
    this.#highest = Math.max(this.#highest, sequence);
  }

  /** Figures as far as they are known: nothing was measured of round trips when no reply came. */
  metrics(): Record<string, number> {
    const sent = this.#sent;
    return {
      sent,
      received: this.received,
      ...(sent > 0 && { lossPercent: (100 * (sent - this.received)) / sent }),
      ...measureRoundTrips(this.#roundTripsMs),
      reordered: this.#reordered,
      duplicates: this.#duplicates,
      ...(this.#ttl !== undefined && { ttl: this.#ttl }),
    };
  }
}
