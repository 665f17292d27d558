/** A word that may come next, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly meaning: string;
}

/** The value of an option: one of some words, or a path; nothing is known of others. */
export interface Value {
  readonly words: readonly string[];
  readonly isPath: boolean;
}

/** A place on the command line and what may come there. */
export interface CommandPlace {
  /** The words that lead there: `['check', 'dns']`. */
  readonly path: readonly string[];
  readonly candidates: readonly Candidate[];
  /** What may follow each option that takes a value, by flag. */
  readonly values: ReadonlyMap<string, Value>;
  readonly takesFile: boolean;
}
