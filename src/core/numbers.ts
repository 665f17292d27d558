import { z } from 'zod';

/** An option that takes a whole number; `what` names it in the message: `a port`. */
export function wholeNumber(min: number, max: number, what = 'a whole number') {
  const expected = `expected ${what} from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
}

/** An option that takes a number, with decimals too. */
export function decimalNumber(min: number, max: number) {
  const expected = `expected a number from ${min} to ${max}`;
  return z.number(expected).min(min, expected).max(max, expected);
}
