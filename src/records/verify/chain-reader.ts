import { hashOf, readLine } from '../chain.ts';

export interface ChainPlace {
  readonly n: number;
  /** Hash that the next line must link to; undefined if unknown. */
  readonly head: string | undefined;
}

/** Checks that lines form one unbroken chain. */
export class ChainReader {
  #place: ChainPlace;

  constructor(place: ChainPlace) {
    this.#place = place;
  }

  get place(): ChainPlace {
    return this.#place;
  }

  /** The fault of the next line; undefined if there is none. Continues from that line in either case. */
  next(text: string): string | undefined {
    const { n, head } = this.#place;
    const line = readLine(text);
    this.#place = { n: line?.n ?? n + 1, head: hashOf(text) };
    if (!line) return `expected record ${n + 1} of its chain, got no line of a chain`;
    if (line.n !== n + 1) return `expected record ${n + 1} of its chain, got record ${line.n}`;
    if (head === undefined || line.previous === head) return undefined;
    return `expected record ${line.n} to name ${head}, the hash of the line above it, got ${line.previous}: that line or this was changed`;
  }
}
