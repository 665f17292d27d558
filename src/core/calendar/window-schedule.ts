/** Half-open, epoch milliseconds. */
export interface WindowSpan {
  readonly from: number;
  readonly to: number;
}

/** When a window is open. */
export type WindowSchedule = { readonly kind: 'once'; readonly from: number; readonly to: number };

/** The last occurrence that has begun by now, over or not; undefined if none has. */
export function occurrenceNear(schedule: WindowSchedule, now: number): WindowSpan | undefined {
  return schedule.from <= now ? { from: schedule.from, to: schedule.to } : undefined;
}
