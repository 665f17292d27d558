import type { QueryAnswer } from '../../core/network.ts';

type Reply = Extract<QueryAnswer, { kind: 'reply' }>;
export type Failed = Exclude<QueryAnswer, Reply>;

const microseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

/** Counts one run of echoes and works out its figures. */
export class EchoTally {
  readonly #roundTripsMs: number[] = [];
  readonly #settled = new Set<number>();
  #sent = 0;
  #highest = -1;
  #reordered = 0;
  #duplicates = 0;
  #jitterMs = 0;
  #ttl: number | undefined;
  #failed: Failed | undefined;

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return this.#roundTripsMs.length;
  }

  get lost(): number {
    return this.#sent - this.received;
  }

  get lossPercent(): number {
    return this.#sent === 0 ? 0 : (100 * this.lost) / this.#sent;
  }

  get averageMs(): number | undefined {
    if (this.received === 0) return undefined;
    return microseconds(this.#roundTripsMs.reduce((sum, rttMs) => sum + rttMs, 0) / this.received);
  }

  /** Smoothed difference between neighbours (RFC 3550 section 6.4.1), over round trips; undefined below two replies. */
  get jitterMs(): number | undefined {
    return this.received < 2 ? undefined : microseconds(this.#jitterMs);
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
    const previousMs = this.#roundTripsMs.at(-1);
    if (previousMs !== undefined) this.#jitterMs += (Math.abs(rttMs - previousMs) - this.#jitterMs) / 16;
    this.#roundTripsMs.push(rttMs);
    this.#ttl = ttl ?? this.#ttl;
    // Late, in the sense of RFC 4737: a packet sent after it has already come back.
    if (sequence < this.#highest) this.#reordered++;
    this.#highest = Math.max(this.#highest, sequence);
  }

  /** Figures as far as they are known: nothing was measured of round trips when no reply came. */
  metrics(): Record<string, number> {
    const { averageMs, jitterMs, lossPercent } = this;
    return {
      sent: this.#sent,
      received: this.received,
      ...(this.#sent > 0 && { lossPercent: microseconds(lossPercent) }),
      ...(averageMs !== undefined && this.#spread(averageMs)),
      ...(jitterMs !== undefined && { jitterMs }),
      reordered: this.#reordered,
      duplicates: this.#duplicates,
      ...(this.#ttl !== undefined && { ttl: this.#ttl }),
    };
  }

  #spread(averageMs: number): Record<string, number> {
    const squares = this.#roundTripsMs.map((rttMs) => (rttMs - averageMs) ** 2);
    const variance = squares.reduce((sum, square) => sum + square, 0) / this.received;
    return {
      minMs: microseconds(Math.min(...this.#roundTripsMs)),
      avgMs: averageMs,
      maxMs: microseconds(Math.max(...this.#roundTripsMs)),
      stddevMs: microseconds(Math.sqrt(variance)),
    };
  }
}
