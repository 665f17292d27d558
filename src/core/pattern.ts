import { RE2JS } from 're2js';
import { parsedText } from './parsed-text.ts';

/** Matching costs text × program; with this the worst pattern takes about half a second for 64 KiB. */
const maxProgramSize = 500;
const maxCached = 1000;

/** A compiled RE2 expression: its time is linear in the text, whatever the pattern. */
export type Pattern = RE2JS;

const cache = new Map<string, Pattern>();

/** RE2 syntax; `^` and `$` stand at the ends of each line. @throws {Error} that says what is wrong with it, for a person */
export function compilePattern(source: string): Pattern {
  const known = cache.get(source);
  if (known) return known;
  const compiled = RE2JS.compile(source, RE2JS.MULTILINE);
  const size = compiled.programSize();
  if (size > maxProgramSize)
    throw new Error(`it has ${size} steps, at most ${maxProgramSize} are allowed; repeat less`);
  if (cache.size >= maxCached) cache.clear();
  cache.set(source, compiled);
  return compiled;
}

/** An option that holds a regular expression; a mistake in it is found when the options are parsed. */
export const pattern = parsedText(compilePattern, 'a regular expression (RE2 syntax)');
