import type { SpoolHistory, SpoolSizes } from './messages.ts';

export interface QueueOptions extends SpoolSizes, SpoolHistory {
  readonly now: () => number;
  readonly newEpoch: () => number;
  /** Disk space held in reserve for when the disk is full. */
  readonly reserveBytes: number;
}
