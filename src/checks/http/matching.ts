import { compilePattern } from '../../core/pattern.ts';

/** Matching takes text length × program size steps at worst; so many take about a quarter of a second. */
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

/** Matches many texts, for all of them together within the same number of steps. */
export class MatchingBudget {
  #stepsLeft = maxSteps;

  renew(): void {
    this.#stepsLeft = maxSteps;
  }

  /** @throws when the budget is used up */
  spend(text: string, pattern: string): void {
    this.#stepsLeft -= text.length * compilePattern(pattern).programSize();
    if (this.#stepsLeft < 0) throw new Error('its texts are too long together for this pattern');
  }
}
