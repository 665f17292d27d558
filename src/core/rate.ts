/** A token bucket: this much at once after a quiet time, and this much a second after that. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** What a token bucket that had `left` holds after a time; it never holds more than the burst. */
export function refilled({ burst, perSecond }: Rate, left: number, elapsedMs: number): number {
  return Math.min(burst, left + (elapsedMs / 1000) * perSecond);
}
