import { z } from 'zod';
import { wholeNumber } from '../../core/numbers.ts';
import { quoted } from '../../core/quoted.ts';

/** A whole number in a path or query, in digits alone: `Number` would also read ` 5`, `1e3` and `0x10`. */
export function wholeParameter(min: number, max: number) {
  return z.preprocess(numberOfDigits, wholeNumber(min, max));
}

function numberOfDigits(text: unknown): unknown {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** The largest number that digits of a parameter may have. */
export const maxParameter = 999_999_999_999_999;

/** Words of a list, with commas between them; `what` names them in a message. */
export function listParameter<const Word extends string>(words: readonly Word[], what: string) {
  return z.string().transform((text, context): readonly Word[] => {
    const given = text.split(',').map((word) => word.trim());
    const wrong = given.find((word) => !words.includes(word as Word));
    if (wrong === undefined) return given as Word[];
    const message = `expected ${what} of ${words.join(', ')}, with commas between them, got ${quoted(wrong)}`;
    context.addIssue({ code: 'custom', message, input: text });
    return z.NEVER;
  });
}
