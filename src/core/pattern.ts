import { RE2JS } from 're2js';
import { z } from 'zod';

const maxPatternLength = 1000;
/** Matching costs text × program; this keeps the worst of 64 KiB within a second. */
const maxProgramSize = 500;

/** A compiled RE2 expression: its time is linear in the text, whatever the pattern. */
export type Pattern = RE2JS;

/** RE2 syntax; `^` and `$` stand at the ends of each line. @throws what RE2 says of a bad expression */
export function compilePattern(source: string): Pattern {
  return RE2JS.compile(source, RE2JS.MULTILINE);
}

/** An option that holds a regular expression; a mistake in it is found when the options are parsed. */
export const pattern = z
  .string()
  .min(1)
  .max(maxPatternLength)
  .superRefine((source, context) => {
    const mistake = mistakeIn(source);
    if (mistake) context.addIssue({ code: 'custom', message: mistake, input: source });
  });

function mistakeIn(source: string): string | undefined {
  try {
    const size = compilePattern(source).programSize();
    if (size <= maxProgramSize) return undefined;
    return `expected a regular expression of at most ${maxProgramSize} instructions, got ${size}: repeat less`;
  } catch (error) {
    // RE2JS throws only its own syntax errors.
    return `expected a regular expression in RE2 syntax, got ${JSON.stringify(source)}: ${(error as Error).message}`;
  }
}
