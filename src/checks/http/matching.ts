import { compilePattern } from '../../core/pattern.ts';

/** Matching takes text length × program size steps at worst; so many take about a quarter of a second. */
const maxSteps = 13_000_000;
const maxMatchedLength = 262_144;

/** The first pattern that matches nowhere in the text's first 256 KiB, or in less of it where the patterns are large. */
export function firstUnmatched(text: string, patterns: readonly string[]): string | undefined {
  const programSize = patterns.reduce((size, pattern) => size + compilePattern(pattern).programSize(), 0);
  const start = text.slice(0, Math.min(maxMatchedLength, Math.floor(maxSteps / programSize)));
  return patterns.find((pattern) => !compilePattern(pattern).matcher(start).find());
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
