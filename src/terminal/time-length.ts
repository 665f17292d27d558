import type { Milliseconds } from '../core/duration.ts';
import { formatSpan } from '../core/span.ts';

/** How long something lasted, as a person says it: `40 s`, `5 min 3 s`, `2 h 5 min`. */
export function formatLength(lengthMs: Milliseconds): string {
  const seconds = Math.floor(Math.max(0, lengthMs) / 1000);
  return seconds < 60 ? `${seconds} s` : formatSpan(seconds * 1000);
}
