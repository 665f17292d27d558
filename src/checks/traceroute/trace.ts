import type { QueryAnswer } from '../../core/network.ts';

export interface TraceLimits {
  readonly firstHop: number;
  readonly maxHops: number;
  /** Queries to each hop. */
  readonly queries: number;
}

export interface Query {
  readonly sequence: number;
  readonly ttl: number;
}

/** One hop, once each of its queries has been answered or given up. */
export interface Hop {
  /** Its distance: the time to live of the queries that ended there. */
  readonly hop: number;
  /** Addresses that answered, each once; several where the path branches, none after silence. */
  readonly addresses: readonly string[];
  /** One for each query, null where it stayed silent. */
  readonly rttsMs: readonly (number | null)[];
  /** Why a packet did not go on from there. */
  readonly error?: string;
  /** Sender of the error; null if this machine is. */
  readonly reportedBy?: string | null;
}

/** How a path ends. */
export type TraceEnd =
  | { readonly kind: 'reached'; readonly hop: Hop }
  | { readonly kind: 'unreachable'; readonly hop: Hop; readonly error: string; readonly reportedBy: string | null }
  | { readonly kind: 'silent'; readonly lastAnswered: Hop | undefined };

type Heard = Exclude<QueryAnswer, { kind: 'unsent' }>;

/** The algorithm of a traceroute: which query is next, what the answers say of the path. It waits for nothing itself. */
export class Trace {
  readonly #target: string;
  readonly #limits: TraceLimits;
  readonly #answers = new Map<number, Heard>();
  /** Nothing more is waited for. */
  readonly #settled = new Set<number>();
  #asked = 0;
  #reported = 0;
  /** The last hop of interest: the nearest at which the path ended, as far as we know. */
  #lastHop: number;

  constructor(target: string, limits: TraceLimits) {
    this.#target = target;
    this.#limits = limits;
    this.#lastHop = limits.maxHops;
  }

  /** The next query to send, nearest hop first; undefined when all are sent that the path needs. */
  next(): Query | undefined {
    const query = { sequence: this.#asked, ttl: this.#hopOf(this.#asked) };
    if (query.ttl > this.#lastHop) return undefined;
    this.#asked++;
    return query;
  }

  /**
   * Takes an answer. A refusal is evidence and no end: until the query is given up the target may still answer, and that
   * wins. Otherwise the first answer counts.
   */
  hear(answer: Heard): void {
    const { sequence } = answer;
    if (this.#settled.has(sequence)) return;
    if (this.#isTarget(answer) || !this.#answers.has(sequence)) this.#answers.set(sequence, answer);
    if (!this.#isRefusal(answer)) this.#settle(sequence);
  }

  /** Gives a query up. */
  giveUp(sequence: number): void {
    if (!this.#settled.has(sequence)) this.#settle(sequence);
  }

  isSettled(sequence: number): boolean {
    return this.#settled.has(sequence);
  }

  #settle(sequence: number): void {
    this.#settled.add(sequence);
    const hop = this.#hopOf(sequence);
    const answer = this.#answers.get(sequence);
    if ((answer && this.#isTarget(answer)) || this.#isDeadEnd(hop)) this.#lastHop = Math.min(this.#lastHop, hop);
  }

  /** True if a packet was refused at this distance, and none is known to have gone on. */
  #isDeadEnd(hop: number): boolean {
    if (!this.#isComplete(hop) || !this.#answersOf(hop).some((answer) => this.#isRefusal(answer))) return false;
    const first = this.#sequencesOf(hop)[0] ?? 0;
    return ![...this.#answers].some(([sequence, answer]) => sequence >= first && !this.#isRefusal(answer));
  }

  /** Hops that have become complete since the last call, as far as all before them are. */
  takeSettled(): Hop[] {
    const hops: Hop[] = [];
    for (let hop = this.#limits.firstHop + this.#reported; hop <= this.#lastHop && this.#isComplete(hop); hop++)
      hops.push(this.#describe(hop));
    this.#reported += hops.length;
    return hops;
  }

  get isComplete(): boolean {
    return this.#limits.firstHop + this.#reported > this.#lastHop;
  }

  /** The hops as far as they are known. A query without an answer yet counts as silent. */
  hops(): Hop[] {
    const hops: Hop[] = [];
    const farthest = Math.min(this.#lastHop, this.#asked === 0 ? 0 : this.#hopOf(this.#asked - 1));
    for (let hop = this.#limits.firstHop; hop <= farthest; hop++) hops.push(this.#describe(hop));
    return hops;
  }

  end(): TraceEnd {
    const hops = this.hops();
    const last = hops.at(-1);
    if (last && this.#answersOf(last.hop).some((answer) => this.#isTarget(answer)))
      return { kind: 'reached', hop: last };
    const { error, reportedBy = null } = last ?? {};
    if (last && error !== undefined) return { kind: 'unreachable', hop: last, error, reportedBy };
    return { kind: 'silent', lastAnswered: hops.findLast(({ addresses }) => addresses.length > 0) };
  }

  #hopOf(sequence: number): number {
    return this.#limits.firstHop + Math.floor(sequence / this.#limits.queries);
  }

  #sequencesOf(hop: number): number[] {
    const first = (hop - this.#limits.firstHop) * this.#limits.queries;
    return Array.from({ length: this.#limits.queries }, (_, query) => first + query);
  }

  #isComplete(hop: number): boolean {
    return this.#sequencesOf(hop).every((sequence) => this.#settled.has(sequence));
  }

  #answersOf(hop: number): Heard[] {
    return this.#sequencesOf(hop).flatMap((sequence) => this.#answers.get(sequence) ?? []);
  }

  /** The target answers as its protocol does, or, as for a closed UDP port, by an error of its own. */
  #isTarget(answer: Heard): boolean {
    return answer.kind === 'reply' || (answer.from === this.#target && answer.error.kind !== 'time-exceeded');
  }

  /** An error of a router, or of this machine, that is not the expected "time to live exceeded". */
  #isRefusal(answer: Heard): boolean {
    return answer.kind === 'error' && answer.error.kind !== 'time-exceeded' && !this.#isTarget(answer);
  }

  #describe(hop: number): Hop {
    const answers = this.#answersOf(hop);
    const addresses = answers.flatMap(({ from }) => from ?? []);
    const refusal = answers.find((answer) => this.#isRefusal(answer));
    const rttsMs = this.#sequencesOf(hop).map((sequence) => {
      const answer = this.#answers.get(sequence);
      return answer === undefined ? null : Math.round(answer.rttMs * 1000) / 1000;
    });
    return {
      hop,
      addresses: [...new Set(addresses)],
      rttsMs,
      ...(refusal?.kind === 'error' && { error: refusal.error.text, reportedBy: refusal.from ?? null }),
    };
  }
}
