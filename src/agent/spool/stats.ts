export interface SpoolStats {
  readonly epoch: number;
  /** The number the next entry gets. */
  readonly nextSeq: number;
  /** Entries the server has not acknowledged, also those that wait in memory. */
  readonly depth: number;
  readonly bytes: number;
  /** When the oldest entry that is not acknowledged was recorded, epoch milliseconds. */
  readonly oldestAt?: number;
  /** Why nothing can be recorded at present; entries wait in memory meanwhile. */
  readonly impaired?: string;
  /** Why recording may soon stop: the disk is getting full. */
  readonly warning?: string;
}
