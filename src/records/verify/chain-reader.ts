import { hashOf, readLine } from '../chain.ts';

export interface ChainPlace {
  readonly n: number;
  /** What the next line must name as the hash before it; undefined where that is not known. */
  readonly head: string | undefined;
}

/** Follows lines that should be one chain without a break, and says where they are not. */
export class ChainReader {
  #place: ChainPlace;

  constructor(place: ChainPlace) {
    this.#place = place;
  }

  get place(): ChainPlace {
    return this.#place;
  }

  /** What is wrong with the next line; undefined if nothing is. Goes on from it in any case. */
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
