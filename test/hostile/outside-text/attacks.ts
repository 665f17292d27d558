import fc from 'fast-check';

/** A text that repeats one part for as long as wanted, and may fail a match only at its end. */
export interface Attack {
  readonly start: string;
  readonly repeated: string;
  readonly end: string;
}

export function textOf({ start, repeated, end }: Attack, length: number): string {
  const count = Math.max(1, Math.ceil((length - start.length - end.length) / repeated.length));
  return start + repeated.repeat(count) + end;
}

const usual = ['a', '0', ' ', '\t', '\n', '"', '\\', '.', '-', ':', '/', '\u00e9', '\0'];
/** Ends that most patterns do not match, so that they try every other way first. */
const ends = ['', '\0', '\n!'];
const samples = 6;
const longestRepeated = 3;
const longestMatched = 40;

/**
 * Texts on which a pattern may take long: its own characters, and parts of texts that it matches, each repeated after
 * what leads up to it. A pattern that backtracks is slow on one of them.
 */
export function attacksOn(pattern: RegExp): readonly Attack[] {
  const own = Array.from(pattern.source.replaceAll(/\\[a-zA-Z]|[\\^$*+?()[\]{}|]/g, ''));
  const marks = [...new Set([...own.filter((character) => /\W/.test(character)), '"', '\\'])];
  const repeatable = new Set([...own, ...usual, ...marks.flatMap((one) => marks.map((other) => one + other))]);
  const attacks = [...repeatable].flatMap((repeated) => ends.map((end) => ({ start: '', repeated, end })));
  for (const text of matchedBy(pattern))
    for (let at = 0; at < text.length; at++) {
      attacks.push({ start: '', repeated: text.slice(0, at + 1), end: '\0' });
      for (let length = 1; length <= longestRepeated && at + length <= text.length; length++)
        attacks.push({ start: text.slice(0, at), repeated: text.slice(at, at + length), end: '\0' });
    }
  return attacks;
}

/** A few short texts that the pattern matches, always the same ones. */
function matchedBy({ source, flags }: RegExp): readonly string[] {
  // fast-check knows neither lookarounds nor \b, \0 and the flag i, and never finds what a negated class matches.
  const known = source
    .replaceAll(/\(\?<?[=!](?:[^()]|\([^()]*\))*\)|\\b/g, '')
    .replaceAll(String.raw`\0`, String.raw`\u0000`)
    .replaceAll(/\\u\{[\da-f]+\}/g, String.raw`\uffff`)
    .replaceAll(/\[\^(?:\\.|[^\]\\])*\]/gs, (negated) => `[${fewOf(new RegExp(negated, flags.replace('g', '')))}]`);
  if (known === '') return [];
  const matching = fc.stringMatching(new RegExp(known, flags.replaceAll(/[giy]/g, '')), { size: 'xsmall' });
  return fc.sample(matching, { numRuns: samples, seed: 1 }).map((text) => text.slice(0, longestMatched));
}

/** Some of the characters that a class matches, as a class of their own. */
function fewOf(characterClass: RegExp): string {
  return usual
    .filter((character) => characterClass.test(character))
    .map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
