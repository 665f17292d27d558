import type { LineRun, ManifestChain } from '../manifest.ts';
import { ChainReader } from './chain-reader.ts';
import type { LineReader } from './verify-file.ts';
import type { WatchedTime } from './watched-time.ts';

interface SignedRun extends LineRun {
  /** Last record of the run before, of the same chain. */
  readonly after: number | undefined;
}

/** Follows the lines of one sensor through the runs that were signed, and tells where records are missing between them. */
export class SignedRuns implements LineReader {
  readonly #runs: Iterator<SignedRun>;
  readonly #watched: WatchedTime;
  #run: SignedRun | undefined;
  #chain: ChainReader | undefined;

  constructor(chains: readonly ManifestChain[], watched: WatchedTime) {
    const runs = chains.flatMap((chain) =>
      chain.runs.map((run, index) => ({ ...run, after: chain.runs[index - 1]?.last })),
    );
    this.#runs = runs[Symbol.iterator]();
    this.#watched = watched;
    this.#begin();
  }

  next(text: string): string | undefined {
    const [run, chain] = [this.#run, this.#chain];
    if (!run || !chain) return 'expected the end of the file, got a line more';
    const { after, first } = run;
    if (after !== undefined && chain.place.n === first - 1)
      this.#watched.breakOff(`the server never got records ${after + 1} to ${first - 1}`);
    const wrong = chain.next(text);
    const { n, head } = chain.place;
    if (n < run.last) return wrong;
    this.#begin();
    if (n > run.last) return wrong;
    return (
      wrong ??
      (head === run.head ? undefined : `expected record ${n} with the hash ${run.head} that was signed, got ${head}`)
    );
  }

  missing(): string | undefined {
    if (!this.#run || !this.#chain) return undefined;
    return `expected records ${this.#chain.place.n + 1} to ${this.#run.last} of its chain, got the end of the file`;
  }

  #begin(): void {
    const { value, done } = this.#runs.next();
    this.#run = done ? undefined : value;
    this.#chain = this.#run && new ChainReader({ n: this.#run.first - 1, head: this.#run.previous });
  }
}
