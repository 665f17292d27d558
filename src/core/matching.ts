import { compilePattern } from './pattern.ts';

/** Matching takes text length × program size steps at worst; this many take about a quarter of a second. */
const maxSteps = 13_000_000;
const maxMatchedLength = 262_144;

/** What patterns find in a text, as far as they search: its first 256 KiB, or less where the patterns are large. */
export class PatternSearch {
  /** What is searched of the text. */
  readonly text: string;

  constructor(text: string, patterns: readonly string[]) {
    const programSize = patterns.reduce((size, pattern) => size + compilePattern(pattern).programSize(), 0);
    this.text = text.slice(0, Math.min(maxMatchedLength, Math.floor(maxSteps / programSize)));
  }

  /** The text that the pattern matches first; undefined if there is none. */
  find(pattern: string): string | undefined {
    const matcher = compilePattern(pattern).matcher(this.text);
    return matcher.find() ? (matcher.group() ?? '') : undefined;
  }
}

/** Limits the time for matching many texts: all of them together may take this many quarters of a second. */
export class MatchingBudget {
  readonly #steps: number;
  #stepsLeft = 0;

  constructor(quartersOfSecond = 1) {
    this.#steps = quartersOfSecond * maxSteps;
    this.renew();
  }

  renew(): void {
    this.#stepsLeft = this.#steps;
  }

  /** Before a text of this length is matched. False when the budget is used up. */
  spend(length: number, pattern: string): boolean {
    this.#stepsLeft -= length * compilePattern(pattern).programSize();
    return this.#stepsLeft >= 0;
  }
}
