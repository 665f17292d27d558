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
  /** Who answered, without repeats; several where the path branches, none where nobody did. */
  readonly addresses: readonly string[];
  /** One for each query, null where it stayed silent. */
  readonly rttsMs: readonly (number | null)[];
  /** What the hop says when the path ends there without the target. */
  readonly error?: string;
}

/** How a path ends. */
export type TraceEnd =
  | { readonly kind: 'reached'; readonly hop: Hop }
  | { readonly kind: 'unreachable'; readonly hop: Hop; readonly error: string }
  | { readonly kind: 'silent'; readonly lastAnswered: Hop | undefined };

type Heard = Exclude<QueryAnswer, { kind: 'unsent' }>;

/** The algorithm of a traceroute: which query is next, what the answers say of the path. It waits for nothing itself. */
export class Trace {
  readonly #target: string;
  readonly #limits: TraceLimits;
  readonly #answers = new Map<number, Heard | 'silent'>();
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

  /** Takes an answer; only the first to a query counts. */
  hear(answer: Heard): void {
    if (this.#answers.has(answer.sequence)) return;
    this.#answers.set(answer.sequence, answer);
    if (this.#endsPath(answer)) this.#lastHop = Math.min(this.#lastHop, this.#hopOf(answer.sequence));
  }

  /** Gives a query up. */
  giveUp(sequence: number): void {
    if (!this.#answers.has(sequence)) this.#answers.set(sequence, 'silent');
  }

  /** Hops that have become complete since the last call, as far as all before them are. */
  takeSettled(): Hop[] {
    const hops: Hop[] = [];
    for (let hop = this.#limits.firstHop + this.#reported; hop <= this.#lastHop && this.#isSettled(hop); hop++)
      hops.push(this.#describe(hop));
    this.#reported += hops.length;
    return hops;
  }

  get isComplete(): boolean {
    return this.#limits.firstHop + this.#reported > this.#lastHop;
  }

  /** What is known now; hops that are still waited for count their open queries as silent. */
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
    if (last?.error !== undefined) return { kind: 'unreachable', hop: last, error: last.error };
    return { kind: 'silent', lastAnswered: hops.findLast(({ addresses }) => addresses.length > 0) };
  }

  #hopOf(sequence: number): number {
    return this.#limits.firstHop + Math.floor(sequence / this.#limits.queries);
  }

  #sequencesOf(hop: number): number[] {
    const first = (hop - this.#limits.firstHop) * this.#limits.queries;
    return Array.from({ length: this.#limits.queries }, (_, query) => first + query);
  }

  #isSettled(hop: number): boolean {
    return this.#sequencesOf(hop).every((sequence) => this.#answers.has(sequence));
  }

  #answersOf(hop: number): Heard[] {
    const answers = this.#sequencesOf(hop).map((sequence) => this.#answers.get(sequence));
    return answers.filter((answer) => answer !== undefined && answer !== 'silent');
  }

  /** The target answers as its protocol does, or, as for a closed UDP port, by an error of its own. */
  #isTarget(answer: Heard): boolean {
    return answer.kind === 'reply' || (answer.from === this.#target && answer.error.kind !== 'time-exceeded');
  }

  #endsPath(answer: Heard): boolean {
    return answer.kind === 'reply' || answer.error.kind !== 'time-exceeded';
  }

  #describe(hop: number): Hop {
    const answers = this.#answersOf(hop);
    const addresses = answers.flatMap(({ from }) => from ?? []);
    const ending = answers.find((answer) => this.#endsPath(answer) && !this.#isTarget(answer));
    const rttsMs = this.#sequencesOf(hop).map((sequence) => {
      const answer = this.#answers.get(sequence);
      return answer === undefined || answer === 'silent' ? null : Math.round(answer.rttMs * 1000) / 1000;
    });
    return {
      hop,
      addresses: [...new Set(addresses)],
      rttsMs,
      ...(ending?.kind === 'error' && { error: ending.error.text }),
    };
  }
}
