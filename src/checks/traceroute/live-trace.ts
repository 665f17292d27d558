import type { Cancel, Clock } from '../../core/clock.ts';
import type { QueryAnswer, QueryChannel } from '../../core/network.ts';
import { RoundTrips, type RoundTripFigures } from '../../core/round-trips.ts';

/** Sequence numbers are used again long after their probes were given up. */
const sequences = 0x1_0000;
/** Hops that are probed beyond the last that answered, as mtr does. */
const maxUnknownHops = 5;
const maxAddresses = 8;

interface LiveLimits {
  readonly firstHop: number;
  readonly maxHops: number;
  /** From one probe of a hop to its next, in milliseconds. */
  readonly interval: number;
  /** How long a probe may take, in milliseconds. */
  readonly wait: number;
}

/** Counts and times of one hop since the start or the last reset. */
interface LiveHop {
  readonly hop: number;
  /** The latest first. */
  readonly addresses: readonly string[];
  /** Probes sent. */
  readonly sent: number;
  /** Of those that are answered or given up. */
  readonly lossPercent: number;
  readonly figures: RoundTripFigures | undefined;
  /** Why packets do not go on from there. */
  readonly error: string | undefined;
}

interface Probe {
  readonly hop: number;
  readonly cancel: Cancel;
}

/** Probes one hop after the other, again and again, and keeps the statistics of each, in memory that does not grow. */
export class LiveTrace {
  readonly #channel: QueryChannel;
  readonly #limits: LiveLimits;
  readonly #clock: Clock;
  readonly #hops = new Map<number, HopStatistics>();
  readonly #waiting = new Map<number, Probe>();
  #sequence = 0;
  #nextHop: number;
  #targetHop: number | undefined;
  #cycles = 0;
  #trouble: Error | undefined;

  constructor(channel: QueryChannel, limits: LiveLimits, clock: Clock) {
    this.#channel = channel;
    this.#limits = limits;
    this.#clock = clock;
    this.#nextHop = limits.firstHop;
  }

  /** Rounds over all hops that are complete. */
  get cycles(): number {
    return this.#nextHop > this.#lastHop() ? this.#cycles + 1 : this.#cycles;
  }

  /** Why a probe could not be sent, until one is answered. */
  get trouble(): Error | undefined {
    return this.#trouble;
  }

  /** The target's distance; undefined while it has not answered. */
  get targetHop(): number | undefined {
    return this.#targetHop;
  }

  /** The last hop that is probed was waited for at least once, so that silence there says something. */
  get isWaitedOut(): boolean {
    return (this.#hops.get(this.#lastHop())?.settled ?? 0) > 0;
  }

  /** How many probes are on their way. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Sends the next probe; returns how long to wait before the one after it, in milliseconds. */
  probe(): number {
    const { firstHop, interval, wait } = this.#limits;
    if (this.#nextHop > this.#lastHop()) {
      this.#cycles++;
      this.#nextHop = firstHop;
    }
    const hop = this.#nextHop++;
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) % sequences;
    this.#statisticsOf(hop).sent++;
    const cancel = this.#clock.after(wait, () => this.#giveUp(sequence));
    this.#waiting.get(sequence)?.cancel();
    this.#waiting.set(sequence, { hop, cancel });
    this.#channel.send(sequence, hop);
    return interval / (this.#lastHop() - firstHop + 1);
  }

  hear(answer: QueryAnswer): void {
    const probe = this.#waiting.get(answer.sequence);
    if (!probe) return;
    this.#waiting.delete(answer.sequence);
    probe.cancel();
    const statistics = this.#statisticsOf(probe.hop);
    if (answer.kind === 'unsent') {
      this.#trouble = answer.error;
      statistics.sent--;
      return;
    }
    if (answer.rttMs > this.#limits.wait) return statistics.countLost();
    this.#trouble = undefined;
    statistics.countAnswer(answer);
    this.#learnTarget(probe.hop, answer);
  }

  /** Forgets all figures, not the path's length. */
  reset(): void {
    this.close();
    this.#hops.clear();
    this.#cycles = 0;
    this.#nextHop = this.#limits.firstHop;
  }

  /** Waits for nothing any more. */
  close(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  /** Every hop from the first to the last that is probed. */
  hops(): readonly LiveHop[] {
    const last = this.#lastHop();
    return [...this.#hops.entries()]
      .filter(([hop]) => hop <= last)
      .toSorted(([one], [other]) => one - other)
      .map(([hop, statistics]) => statistics.describe(hop));
  }

  #giveUp(sequence: number): void {
    const probe = this.#waiting.get(sequence);
    if (!probe) return;
    this.#waiting.delete(sequence);
    this.#statisticsOf(probe.hop).countLost();
  }

  #learnTarget(hop: number, answer: Exclude<QueryAnswer, { kind: 'unsent' }>): void {
    const isTarget = answer.kind === 'reply' || (answer.from === this.#channel.address.ip && !isPassing(answer));
    if (isTarget) this.#targetHop = Math.min(hop, this.#targetHop ?? hop);
    // The path has become longer.
    else if (hop === this.#targetHop && isPassing(answer)) this.#targetHop = undefined;
  }

  #lastHop(): number {
    if (this.#targetHop !== undefined) return this.#targetHop;
    const answered = [...this.#hops].filter(([, { addresses }]) => addresses.length > 0).map(([hop]) => hop);
    const known = Math.max(this.#limits.firstHop - 1, ...answered);
    return Math.min(this.#limits.maxHops, known + maxUnknownHops);
  }

  #statisticsOf(hop: number): HopStatistics {
    const statistics = this.#hops.get(hop) ?? new HopStatistics();
    this.#hops.set(hop, statistics);
    return statistics;
  }
}

function isPassing(answer: QueryAnswer): boolean {
  return answer.kind === 'error' && answer.error.kind === 'time-exceeded';
}

class HopStatistics {
  readonly #roundTrips = new RoundTrips();
  addresses: readonly string[] = [];
  sent = 0;
  #lost = 0;
  #error: string | undefined;

  countLost(): void {
    this.#lost++;
  }

  countAnswer(answer: Exclude<QueryAnswer, { kind: 'unsent' }>): void {
    const { from, rttMs } = answer;
    this.#roundTrips.add(rttMs);
    if (from !== undefined && from !== this.addresses[0])
      this.addresses = [from, ...this.addresses.filter((address) => address !== from)].slice(0, maxAddresses);
    this.#error = answer.kind === 'error' && !isPassing(answer) ? answer.error.text : undefined;
  }

  /** Probes that are answered or given up. */
  get settled(): number {
    return this.#roundTrips.count + this.#lost;
  }

  describe(hop: number): LiveHop {
    return {
      hop,
      addresses: this.addresses,
      sent: this.sent,
      lossPercent: this.settled === 0 ? 0 : (100 * this.#lost) / this.settled,
      figures: this.#roundTrips.figures(),
      error: this.#error,
    };
  }
}
