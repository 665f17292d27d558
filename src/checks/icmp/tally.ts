import type { CheckContext } from '../../core/check.ts';
import type { QueryAnswer } from '../../core/network.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { RoundTrips } from '../../core/round-trips.ts';

type Reply = Extract<QueryAnswer, { kind: 'reply' }>;
export type Failed = Exclude<QueryAnswer, Reply>;

/** Packets whose round trips are listed one by one: the latest. */
const maxListed = 100;
const maxErrors = 10;

/** A type, not an interface, so that it is a `JsonObject`. */
type Reported = {
  readonly from: string | null;
  readonly error: string;
  readonly packets: number;
};

/** Counts one run of echoes and works out its figures, in memory that does not grow with the run. */
export class EchoTally {
  readonly #roundTrips = new RoundTrips();
  /** By sequence number, of the latest packets; null until a reply comes. */
  readonly #latest = new Map<number, number | null>();
  /** Packets that may still be answered, oldest first. */
  readonly #waiting = new Set<number>();
  readonly #errors = new Map<string, Reported>();
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
    return this.#roundTrips.count;
  }

  /** The last error that a packet met; undefined if there was none. */
  get failed(): Failed | undefined {
    return this.#failed;
  }

  /** True when nothing that was sent is still waited for. An ICMP error settles nothing: a reply may follow. */
  get isSettled(): boolean {
    return this.#waiting.size === 0;
  }

  /** Counts the packet of the next sequence number, from 0. */
  countSent(): void {
    const sequence = this.#sent++;
    this.#latest.set(sequence, null);
    this.#waiting.add(sequence);
    this.#latest.delete(sequence - maxListed);
    if (this.#waiting.size > maxListed) for (const oldest of this.#waiting.keys().take(1)) this.#waiting.delete(oldest);
  }

  /** The run ends before the last packet had its time: unless it is answered, it does not count. */
  withdrawUnsettled(): void {
    const last = this.#sent - 1;
    if (!this.#waiting.delete(last)) return;
    this.#latest.delete(last);
    this.#sent = last;
  }

  countAnswer(answer: QueryAnswer): void {
    if (answer.kind === 'error') this.#countError(answer);
    else this.#waiting.delete(answer.sequence);
    if (answer.kind !== 'reply') this.#failed = answer;
    else if (answer.duplicate) this.#duplicates++;
    else this.#countReply(answer);
  }

  #countError({ sequence, from, error }: Extract<QueryAnswer, { kind: 'error' }>): void {
    // A packet that this machine refused was never sent.
    if (from === undefined) this.#waiting.delete(sequence);
    const key = `${from} ${error.text}`;
    const { packets } = this.#errors.get(key) ?? { packets: 0 };
    if (packets === 0 && this.#errors.size >= maxErrors) return;
    this.#errors.set(key, { from: from ?? null, error: error.text, packets: packets + 1 });
  }

  #countReply({ sequence, rttMs, ttl }: Reply): void {
    this.#roundTrips.add(rttMs);
    if (this.#latest.has(sequence)) this.#latest.set(sequence, rttMs);
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
      ...this.#roundTrips.metrics(),
      reordered: this.#reordered,
      duplicates: this.#duplicates,
      ...(this.#ttl !== undefined && { ttl: this.#ttl }),
    };
  }

  /** The ICMP errors that came and, where wanted, each round trip of several packets in the order of sending. */
  detail({ wantsFullDetail = false }: Pick<CheckContext, 'wantsFullDetail'>): JsonObject {
    const rttsMs = [...this.#latest.values()].map((rttMs) => rttMs && Math.round(rttMs * 1000) / 1000);
    return {
      ...(wantsFullDetail && this.#sent > 1 && { rttsMs }),
      ...(this.#errors.size > 0 && { icmpErrors: [...this.#errors.values()] }),
    };
  }
}
