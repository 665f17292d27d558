const firstMs = 5000;
const longestMs = 15 * 60_000;

/**
 * How long to wait after the `failures`-th failure in a row, from 1: 5 s × 2ⁿ, at most 15 min, ± 50 % (`random` is 0 to 1). What
 * the provider asks for wins.
 */
export function backoffMs(failures: number, random: number, askedMs?: number): number {
  if (askedMs !== undefined) return askedMs;
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 20)) * (0.5 + random);
}
