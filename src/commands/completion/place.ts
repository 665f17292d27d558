/** A word that may come next, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly meaning: string;
}

/** A place on the command line and what may come there. */
export interface Place {
  /** The words that lead there: `['check', 'dns']`. */
  readonly path: readonly string[];
  readonly candidates: readonly Candidate[];
  /** The values of the options that have a list of them, by flag. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly takesFile: boolean;
}
