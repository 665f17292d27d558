/** Lines and columns of a text, both from 1. */
export class Lines {
  /** The offset at which each line begins; worked out when the first one is asked for, as most texts have no mistake. */
  #starts: readonly number[] | undefined;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  at(offset: number): { line: number; column: number } {
    const starts = (this.#starts ??= startsOf(this.#text));
    let [line, beyond] = [0, starts.length];
    // By halves: a file of 100,000 lines may have a mistake in each.
    while (beyond - line > 1) {
      const middle = (line + beyond) >> 1;
      if ((starts[middle] ?? Infinity) <= offset) line = middle;
      else beyond = middle;
    }
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  }
}

function startsOf(text: string): readonly number[] {
  return [0, ...text.matchAll(/\n/g).map(({ index }) => index + 1)];
}
