import { hourMs } from '../summary.ts';

/** Results of the same 10 s lie together on disk. */
export const slotMs = 10_000;
export const slotsPerHour = hourMs / slotMs;
